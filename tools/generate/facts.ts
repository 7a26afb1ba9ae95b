import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What `facts/fields.txt` says of one type. */
export interface TypeFacts {
  /** Upstream's struct order. */
  readonly order: readonly string[];
  readonly fields: ReadonlyMap<string, FieldFacts>;
  /** `structType=atomic` on the type itself: server-side apply replaces it as a whole wherever it stands. */
  readonly isAtomic: boolean;
}

export interface FieldFacts {
  readonly isQuantity: boolean;
  readonly patchStrategy?: readonly string[];
  readonly patchMergeKey?: string;
  readonly listType?: string;
  readonly listMapKeys?: readonly string[];
  readonly mapType?: string;
  readonly isPresent?: boolean;
  readonly default?: string;
}

export type Facts = ReadonlyMap<string, TypeFacts>;

const FIELD =
  /^([\w$-]+)(:quantity)?(?:\+([\w,]+))?(?:@(\w+))?(?:#(\w+)(?:\(([\w,]+)\))?)?(?:~(\w+))?$/;

/** Reads the tables of facts; their notation is explained at their heads. */
export function readFacts(root: string): Facts {
  const facts = new Map(linesOf(root, "fields.txt").map(parseLine));
  for (const line of linesOf(root, "presence.txt")) addPresence(facts, line);
  return facts;
}

function linesOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, "tools/generate/facts", file), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Adds what `facts/presence.txt` says of one type to what is known of its fields. */
function addPresence(facts: Map<string, TypeFacts>, line: string): void {
  const [name, words] = line.split(": ") as [string, string];
  const known = facts.get(name) ?? { order: [], fields: new Map(), isAtomic: false };
  const fields = new Map(known.fields);
  for (const word of words.split(" ")) {
    const [field, value] = word.split("=") as [string, string | undefined];
    const before = fields.get(field) ?? { isQuantity: false };
    fields.set(field, { ...before, ...(value ? { default: value } : { isPresent: true }) });
  }
  const order = [...new Set([...known.order, ...fields.keys()])];
  facts.set(name, { ...known, order, fields });
}

function parseLine(line: string): [string, TypeFacts] {
  const [name, rest] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)];
  const words = rest.split(" ").filter((word) => word !== "");
  const fields = words.filter((word) => word !== "~atomic").map((word) => parseField(word, line));
  return [
    name,
    {
      order: fields.map(([field]) => field),
      fields: new Map(fields),
      isAtomic: words.includes("~atomic"),
    },
  ];
}

function parseField(word: string, line: string): [string, FieldFacts] {
  const match = FIELD.exec(word);
  if (!match) throw new Error(`facts/fields.txt: cannot read ${word} in: ${line}`);
  const [, name, quantity, strategy, mergeKey, listType, listMapKeys, mapType] = match;
  return [
    name!,
    {
      isQuantity: quantity !== undefined,
      ...(strategy && { patchStrategy: strategy.split(",") }),
      ...(mergeKey && { patchMergeKey: mergeKey }),
      ...(listType && { listType }),
      ...(listMapKeys && { listMapKeys: listMapKeys.split(",") }),
      ...(mapType && { mapType }),
    },
  ];
}

/** The facts of a type; those of its own version before those of all versions. */
export function factsOf(facts: Facts, group: string, version: string, kind: string) {
  return facts.get(`${group}.${version}.${kind}`) ?? facts.get(`${group}.${kind}`);
}
