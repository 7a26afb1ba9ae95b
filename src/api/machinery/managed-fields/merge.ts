import { setOwn } from "../json-value.ts";
import { atomOfValue, isEmptyValue, isLeafAtom, type Atom, type ListAtom } from "./apply-type.ts";
import { itemElement } from "./list-item.ts";
import type { PathElement } from "./path-element.ts";

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * `live` with everything that `config` says; `undefined` when nothing is left. Leaves are replaced, everything else is merged by
 * field, key or item. Parts that one side alone has are shared with it.
 *
 * @throws {NoPlace} an item of a list has no place in it.
 * @spec structured-merge-diff v6 typed/merge.go
 */
export function mergeTyped(type: Atom, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const atom = atomOfValue(type, config ?? live);
  if (isLeafAtom(atom) || (isEmptyValue(type, live) && isEmptyValue(type, config))) return config;
  if (atom.kind === "list") return mergeLists(atom, live, config);
  const items = atom.kind === "map" ? atom.items : undefined;
  const fields = atom.kind === "struct" ? atom.fields : undefined;
  return mergeRecords((key) => items ?? fields?.get(key)?.atom, live, config);
}

function mergeRecords(
  typeOf: (key: string) => Atom | undefined,
  live: unknown,
  config: unknown,
): unknown {
  const [left, right] = [(live ?? {}) as JsonRecord, (config ?? {}) as JsonRecord];
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(left)) {
    const type = typeOf(key);
    const other = Object.hasOwn(right, key) ? right[key] : undefined;
    const value = type ? mergeTyped(type, left[key], other) : left[key];
    if (value !== undefined) setOwn(out, key, value);
  }
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key)) setOwn(out, key, right[key]);
  return Object.keys(out).length === 0 ? undefined : out;
}

interface Indexed {
  readonly elements: readonly PathElement[];
  /** Without items whose key stands twice. */
  readonly items: ReadonlyMap<PathElement, unknown>;
}

function indexed(atom: ListAtom, list: readonly unknown[]): Indexed {
  const items = new Map<PathElement, unknown>();
  const elements = list.map((item) => itemElement(atom, item));
  elements.forEach((element, index) =>
    items.set(element, items.has(element) ? undefined : list[index]),
  );
  return { elements, items };
}

/**
 * Steps through both lists at once. Items of both stand in the order of `config`; those that only the live list has stay where
 * they were between their neighbours.
 */
function mergeLists(atom: ListAtom, live: unknown, config: unknown): unknown {
  const list = (live ?? []) as readonly unknown[];
  const left = indexed(atom, list);
  const right = indexed(atom, (config ?? []) as readonly unknown[]);
  const shared = right.elements.filter((element) => left.items.has(element));
  const merged = new Set<PathElement>();
  const out: unknown[] = [];
  let next = 0;
  const take = (element: PathElement): void => {
    merged.add(element);
    const value = mergeTyped(atom.items, left.items.get(element), right.items.get(element));
    if (value !== undefined) out.push(value);
    if (shared[next] === element) next++;
  };
  let [i, j] = [0, 0];
  while (i < left.elements.length || j < right.elements.length) {
    const [here, there] = [left.elements[i], right.elements[j]];
    if (here !== undefined && there !== undefined) {
      if (here === there) {
        take(here);
        [i, j] = [i + 1, j + 1];
        continue;
      }
      const isShared = right.items.has(here);
      // Shared, but not the one whose turn it is in the order of the config.
      if (isShared && next < shared.length && shared[next] !== here) {
        i++;
        continue;
      }
    }
    if (here !== undefined) {
      if (!right.items.has(here)) {
        out.push(list[i++]);
        continue;
      }
      if (merged.has(here)) i++;
    }
    if (there !== undefined) {
      take(there);
      j++;
    }
  }
  return out.length === 0 ? undefined : out;
}
