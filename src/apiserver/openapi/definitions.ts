import { digestOf } from "../discovery/document.ts";

/** A schema object of OpenAPI 2. */
export interface Definition {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly items?: Definition;
  readonly additionalProperties?: Definition | boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  /** Extensions (`x-…`) and keywords that are passed through. */
  readonly [key: string]: unknown;
}

const REF = "#/definitions/";

/** The reference to a type. */
export const refTo = (name: string): Definition => ({ $ref: `${REF}${name}` });

/**
 * The definitions of the built-in types, out of the text that the build wrote.
 *
 * @shape lines `NAME TAB JSON`; a type is parsed when a document needs it, and not kept
 */
export class Definitions {
  readonly #read: () => string;
  #lines: ReadonlyMap<string, string> | undefined;
  #digest: string | undefined;

  constructor(read: () => string) {
    this.#read = read;
  }

  /** Changes when any definition does. */
  get digest(): string {
    return (this.#digest ??= digestOf(this.#read()));
  }

  #load(): ReadonlyMap<string, string> {
    return (this.#lines ??= split(this.#read()));
  }

  get(name: string): Definition | undefined {
    const text = this.#load().get(name);
    return text === undefined ? undefined : (JSON.parse(text) as Definition);
  }

  /** The named types and all that they refer to, by name, sorted. Unknown names are left out. One type a step. */
  *closure(
    names: Iterable<string>,
    custom: ReadonlyMap<string, Definition> = new Map(),
  ): Generator<void, Readonly<Record<string, Definition>>> {
    const found = new Map<string, Definition>();
    const waiting = [...names];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (found.has(name)) continue;
      const definition = custom.get(name) ?? this.get(name);
      if (!definition) continue;
      found.set(name, definition);
      collectRefs(definition, waiting);
      yield;
    }
    return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function split(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]),
  );
}

/** Appends the names of all types that a definition mentions. */
export function collectRefs(value: unknown, names: string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === "$ref" && typeof item === "string" && item.startsWith(REF))
      names.push(item.slice(REF.length));
    else collectRefs(item, names);
  }
}
