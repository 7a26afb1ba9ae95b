import { setOwn } from "../json-value.ts";
import { atomOfValue, isLeafAtom, type Atom, type ListAtom } from "./apply-type.ts";
import {
  below,
  EMPTY_SET,
  FieldSetBuilder,
  hasElement,
  isEmptySet,
  recursiveDifference,
  union,
  type FieldSet,
} from "./field-set.ts";
import { itemElement } from "./list-item.ts";
import { fieldElement, type PathElement } from "./path-element.ts";

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * The fields that `value` itself says something of: what an applied configuration owns.
 *
 * @throws {NoPlace} an item of a list has no place in it.
 * @spec structured-merge-diff v6 typed/tofieldset.go
 */
export function fieldSetOfValue(type: Atom, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  collect(builder, [], type, value);
  return builder.build();
}

function collect(set: FieldSetBuilder, path: PathElement[], type: Atom, value: unknown): void {
  const atom = atomOfValue(type, value);
  if (atom.kind === "scalar" || isLeafAtom(atom)) return set.insert(path);
  if (value === null || value === undefined) return;
  if (atom.kind === "list") return collectItems(set, path, atom, value as readonly unknown[]);
  for (const [key, item] of Object.entries(value as JsonRecord)) {
    const field = atom.kind === "struct" ? atom.fields.get(key)?.atom : atom.items;
    if (!field) continue;
    path.push(fieldElement(key));
    collect(set, path, field, item);
    if (atom.kind === "map" || item === null || isEmptyRecord(item)) set.insert(path);
    path.pop();
  }
}

const isEmptyRecord = (value: unknown): boolean =>
  typeof value === "object" && !Array.isArray(value) && Object.keys(value!).length === 0;

function collectItems(
  set: FieldSetBuilder,
  path: PathElement[],
  atom: ListAtom,
  list: readonly unknown[],
): void {
  const counts = new Map<PathElement, number>();
  const elements = list.map((item) => itemElement(atom, item));
  for (const element of elements) counts.set(element, (counts.get(element) ?? 0) + 1);
  for (const [index, element] of elements.entries()) {
    path.push(element);
    if (counts.get(element) === 1) collect(set, path, atom.items, list[index]);
    set.insert(path);
    path.pop();
  }
}

/**
 * `value` without the members of `fields`: named fields, map keys and items of lists. Containers that lose all become null.
 *
 * @spec structured-merge-diff v6 typed/remove.go
 */
export function withoutFields(type: Atom, value: unknown, fields: FieldSet): unknown {
  const atom = atomOfValue(type, value);
  if (atom.kind === "scalar") return value;
  if (typeof value !== "object" || value === null) return null;
  if (isLeafAtom(atom)) return null;
  if (atom.kind === "list") return withoutItems(atom, value as readonly unknown[], fields);
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as JsonRecord)) {
    const element = fieldElement(key);
    if (hasElement(fields, element)) continue;
    const inside = below(fields, element);
    const field = atom.kind === "struct" ? atom.fields.get(key)?.atom : atom.items;
    setOwn(out, key, isEmptySet(inside) || !field ? item : withoutFields(field, item, inside));
  }
  return Object.keys(out).length === 0 ? null : out;
}

function withoutItems(atom: ListAtom, list: readonly unknown[], fields: FieldSet): unknown {
  const out: unknown[] = [];
  for (const item of list) {
    const element = itemElement(atom, item);
    if (hasElement(fields, element)) continue;
    const inside = below(fields, element);
    out.push(isEmptySet(inside) ? item : withoutFields(atom.items, item, inside));
  }
  return out.length === 0 ? null : out;
}

/**
 * The set with every named field above a member, so that a field goes when all it holds goes.
 *
 * @spec structured-merge-diff v6 fieldpath/set.go EnsureNamedFieldsAreMembers
 */
export function withNamedFields(type: Atom, set: FieldSet): FieldSet {
  const builder = new FieldSetBuilder();
  const visit = (atom: Atom | undefined, node: FieldSet, path: PathElement[]): void => {
    for (const element of Object.keys(node)) {
      if (element === ".") continue;
      const isField = element.startsWith("f:") && atom?.kind === "struct";
      const named = isField ? atom.fields.get(element.slice(2)) : undefined;
      path.push(element);
      if (named || hasElement(node, element)) builder.insert(path);
      visit(named?.atom ?? itemsOf(atom), node[element]!, path);
      path.pop();
    }
  };
  visit(type, set, []);
  return builder.build();
}

const itemsOf = (atom: Atom | undefined): Atom | undefined =>
  atom?.kind === "map" || atom?.kind === "list" ? atom.items : undefined;

/**
 * A set that was written when the type had other list and map types, in the form of today: what became one leaf is owned as a
 * whole, what is a leaf no more by all it holds.
 *
 * @spec structured-merge-diff v6 typed/reconcile_schema.go
 */
export function reconciled(type: Atom, set: FieldSet, live: unknown): FieldSet {
  const gone = new FieldSetBuilder();
  let added: FieldSet = EMPTY_SET;
  const visit = (atom: Atom | undefined, node: FieldSet, path: PathElement[]): void => {
    if (!atom || atom.kind === "scalar" || atom.kind === "free") return;
    const holdsMembers = Object.keys(node).some((element) => element !== ".");
    if (isLeafAtom(atom)) {
      if (!holdsMembers || path.length === 0) return;
      gone.insert(path);
      const whole = new FieldSetBuilder();
      whole.insert(path);
      added = union(added, whole.build());
      return;
    }
    if (!holdsMembers && path.length > 0) added = union(added, setBelow(type, live, path));
    for (const element of Object.keys(node)) {
      if (element === ".") continue;
      const field = atom.kind === "struct" ? atom.fields.get(element.slice(2))?.atom : atom.items;
      visit(field, node[element]!, [...path, element]);
    }
  };
  visit(type, set, []);
  const kept = gone.isEmpty ? set : recursiveDifference(set, gone.build());
  return union(kept, added);
}

/** What the live object holds at and below `path`. */
function setBelow(type: Atom, live: unknown, path: readonly PathElement[]): FieldSet {
  const all = fieldSetOfValue(type, live);
  let node: FieldSet | undefined = all;
  for (const element of path) node = node?.[element];
  if (node === undefined) return EMPTY_SET;
  let set: FieldSet = node;
  for (const element of [...path].reverse()) set = { [element]: set };
  return set;
}
