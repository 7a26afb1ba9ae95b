import type { FieldSchema, SchemaSet, TypeSchema } from "../schema.ts";
import { fieldElement, type PathElement } from "./path-element.ts";

/**
 * How server-side apply sees a type: what is one leaf, what merges by field, by map key or by list item.
 *
 * @spec structured-merge-diff v6 schema/elements.go; kube-openapi pkg/schemaconv
 */
export type Atom = ScalarAtom | StructAtom | MapAtom | ListAtom | FreeAtom;

export interface ScalarAtom {
  readonly kind: "scalar";
  /** `untyped`: any scalar (quantities, times, numbers or texts). */
  readonly scalar: "string" | "numeric" | "boolean" | "untyped";
}

export interface StructAtom {
  readonly kind: "struct";
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, ApplyField>;
  /** Those that Go always shows: no value of a type that has some is empty. */
  readonly always: readonly ApplyField[];
}

export interface MapAtom {
  readonly kind: "map";
  readonly isAtomic: boolean;
  readonly items: Atom;
}

export interface ListAtom {
  readonly kind: "list";
  readonly relation: "atomic" | "set" | "map";
  /** Of `map`: sorted by name. */
  readonly keys: readonly ListKey[];
  readonly items: Atom;
}

export interface ListKey {
  readonly name: string;
  /** What an item has that does not say; `undefined`: nothing. */
  readonly default: unknown;
}

/** A value without a type: one leaf (`isDeduced: false`), or whatever it looks like, lists as leaves. */
export interface FreeAtom {
  readonly kind: "free";
  readonly isDeduced: boolean;
}

/** True when a value of the type is owned as a whole, whatever it is. */
export function isLeafAtom(atom: Atom): boolean {
  if (atom.kind === "scalar") return true;
  if (atom.kind === "free") return !atom.isDeduced;
  return atom.kind === "list" ? atom.relation === "atomic" : atom.isAtomic;
}

const SCALARS = {
  string: { kind: "scalar", scalar: "string" },
  numeric: { kind: "scalar", scalar: "numeric" },
  boolean: { kind: "scalar", scalar: "boolean" },
  untyped: { kind: "scalar", scalar: "untyped" },
} as const;

const LEAF_OF_ANY_FORM: FreeAtom = { kind: "free", isDeduced: false };

/** The type of objects without a schema. @spec structured-merge-diff typed/parser.go DeducedParseableType */
export const DEDUCED: FreeAtom = { kind: "free", isDeduced: true };

const DEDUCED_MAP: MapAtom = { kind: "map", isAtomic: false, items: DEDUCED };
const ATOMIC_LIST: ListAtom = {
  kind: "list",
  relation: "atomic",
  keys: [],
  items: LEAF_OF_ANY_FORM,
};

/** The atom that a value of type `atom` is treated as. */
export function atomOfValue(atom: Atom, value: unknown): Exclude<Atom, FreeAtom> {
  if (atom.kind !== "free") return atom;
  if (!atom.isDeduced || typeof value !== "object" || value === null) return SCALARS.untyped;
  return Array.isArray(value) ? ATOMIC_LIST : DEDUCED_MAP;
}

/** One field of a struct. */
export class ApplyField {
  readonly name: string;
  /** Its place among the fields of its struct, in the order of FieldsV1. */
  readonly rank: number;
  readonly element: PathElement;
  /** The element as a JSON text with its colon: `"f:name":`. */
  readonly keyText: string;
  /**
   * What Go shows of the field when nothing was set: `undefined` for most; a zero for those without `omitempty`, the empty
   * struct for those that are no pointers. Whoever sets a field of it does not own the field itself.
   */
  readonly zero: unknown;
  readonly #make: () => Atom;
  #atom: Atom | undefined;
  #isLeaf: boolean | undefined;

  constructor(name: string, rank: number, zero: unknown, make: () => Atom) {
    this.name = name;
    this.rank = rank;
    this.element = fieldElement(name);
    this.keyText = `${JSON.stringify(this.element)}:`;
    this.zero = zero;
    this.#make = make;
  }

  /** Made on first use: types refer to themselves. */
  get atom(): Atom {
    return (this.#atom ??= this.#make());
  }

  /** True when nothing below the field is owned on its own. */
  get isLeaf(): boolean {
    return (this.#isLeaf ??= isLeafAtom(this.atom));
  }
}

interface Variants {
  granular?: StructAtom;
  atomic?: StructAtom;
}

const cache = new WeakMap<TypeSchema, Variants>();

/** The type of a schema as apply sees it; made once. */
export function applyType(schemas: SchemaSet, type: TypeSchema, isAtomic = false): StructAtom {
  let variants = cache.get(type);
  if (!variants) cache.set(type, (variants = {}));
  const key = isAtomic ? "atomic" : "granular";
  return (variants[key] ??= structOf(schemas, type, isAtomic));
}

function structOf(schemas: SchemaSet, type: TypeSchema, isAtomic: boolean): StructAtom {
  const names = Object.keys(type.fields).sort();
  const fields = names.map((name, rank) => {
    const schema = type.fields[name]!;
    const zero = isAlways(type, name, schema) ? zeroOf(schema) : undefined;
    return new ApplyField(name, rank, zero, () => atomOf(schemas, schema));
  });
  return {
    kind: "struct",
    isAtomic,
    fields: new Map(fields.map((field) => [field.name, field])),
    always: fields.filter(({ zero }) => zero !== undefined),
  };
}

const PARTS = new Set(["metadata", "spec", "status"]);

function isAlways(type: TypeSchema, name: string, schema: FieldSchema): boolean {
  if (schema.isRequired || schema.isPresent) return true;
  if (name === "metadata") return schema.type === "ref";
  return type.isRoot === true && PARTS.has(name) && schema.type === "ref";
}

const EMPTY_STRUCT = Object.freeze({});

function zeroOf(schema: FieldSchema): unknown {
  switch (schema.type) {
    case "ref":
      return EMPTY_STRUCT;
    case "string":
      return "";
    case "integer":
    case "number":
      return 0;
    case "boolean":
      return false;
    default:
      return null;
  }
}

function atomOf(schemas: SchemaSet, schema: FieldSchema): Atom {
  switch (schema.type) {
    case "string":
    case "bytes":
      return SCALARS.string;
    case "integer":
    case "number":
      return SCALARS.numeric;
    case "boolean":
      return SCALARS.boolean;
    case "ref":
      return applyType(schemas, schemas.type(schema.ref!), schema.mapType === "atomic");
    case "map":
      return {
        kind: "map",
        isAtomic: schema.mapType === "atomic",
        items: atomOf(schemas, schema.items!),
      };
    case "array":
      return listOf(schemas, schema);
    case "any":
      return LEAF_OF_ANY_FORM;
    default:
      return SCALARS.untyped;
  }
}

/** A list without a list type merges as a strategic merge patch would. @spec kube-openapi schemaconv/smd.go */
function listOf(schemas: SchemaSet, schema: FieldSchema): ListAtom {
  const merges = schema.patchStrategy?.includes("merge") ?? false;
  const byPatch = !merges ? "atomic" : schema.patchMergeKey === undefined ? "set" : "map";
  const relation = schema.listType ?? byPatch;
  const names = schema.listMapKeys ?? (schema.patchMergeKey ? [schema.patchMergeKey] : []);
  const fields = schema.items!.ref === undefined ? {} : schemas.type(schema.items!.ref).fields;
  return {
    kind: "list",
    relation,
    keys:
      relation === "map"
        ? [...names].sort().map((name) => ({ name, default: fields[name]?.default }))
        : [],
    items: atomOf(schemas, schema.items!),
  };
}

/** What a struct holds in `field`, with what Go shows of a field that was not set. */
export function fieldValue(holder: unknown, field: ApplyField): unknown {
  if (holder === undefined) return undefined;
  const value = (holder as Readonly<Record<string, unknown>> | null)?.[field.name];
  if (value !== undefined && value !== null) return value;
  return field.zero === undefined ? value : field.zero;
}

/** The fields that a struct holds, those that Go always shows among them; in no order. */
export function heldFields(atom: StructAtom, holder: unknown): ApplyField[] {
  const held: ApplyField[] = [];
  for (const name in holder as object) {
    const field = atom.fields.get(name);
    if (field) held.push(field);
  }
  for (const field of atom.always)
    if ((holder as Readonly<Record<string, unknown>> | null)?.[field.name] === undefined)
      held.push(field);
  return held;
}

/** True for what has nothing to descend into: absent, null, and containers without content. */
export function isEmptyValue(atom: Atom, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return !(atom.kind === "struct" && atom.always.length > 0);
}
