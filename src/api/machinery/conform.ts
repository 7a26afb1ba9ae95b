import { DEPTH_MAX, shownPath, VALUES_MAX } from "./json-bounds.ts";
import { canonicalQuantity, QuantityError } from "./quantity.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";
import type { SharedField } from "./shared-field.ts";
import { canonicalTime } from "./time-text.ts";

/** What came of fitting a value to its type. */
export type Conformed =
  | {
      readonly isOk: true;
      /** In schema order, map keys sorted, without unknown fields. Free-form parts are shared with the input. */
      readonly value: Readonly<Record<string, unknown>>;
      /** `unknown field "spec.foo"`: what strict field validation reports and `Warn` warns of. */
      readonly strictErrors: readonly string[];
    }
  | {
      readonly isOk: false;
      /** The message of a BadRequest. */
      readonly message: string;
      /** It holds more than `VALUES_MAX` values: what a patch made of it, or protobuf. */
      readonly isTooLarge?: boolean;
    };

export interface ConformOptions {
  /** Makes equal values of one field one object: `spec` of kinds that come in numbers from templates. */
  readonly shared?: SharedField;
  /** The `kind` and version that the document claims, when they are not the type's own; upstream names both. */
  readonly claimed?: { readonly kind: string; readonly version: string };
}

/** Upstream stops collecting here, so that hostile input cannot make the answer large. */
const STRICT_ERRORS_MAX = 100;

/**
 * Fits a parsed document to its type: known fields in schema order, canonical scalars, null as absent.
 *
 * Pure; never throws for input, never changes it. `__proto__` is an unknown field, or a key like any other in maps.
 * @spec sigs.k8s.io/json (case-sensitive, preserving ints, strict errors); k8s@1.36 apiserver handlers/rest.go transformDecodeError
 */
export function conform(
  schemas: SchemaSet,
  type: TypeSchema,
  value: unknown,
  options: ConformOptions = {},
): Conformed {
  const { shared } = options;
  const walk: Walk = {
    schemas,
    path: [],
    struct: "",
    strictErrors: [],
    depth: 0,
    values: 0,
    shared,
  };
  try {
    const fitted = toStruct(walk, compiled(type), value);
    return { isOk: true, value: fitted, strictErrors: walk.strictErrors };
  } catch (error) {
    if (error instanceof TooManyValues)
      return { isOk: false, message: `over ${VALUES_MAX} values`, isTooLarge: true };
    if (!(error instanceof Mismatch)) throw error;
    return { isOk: false, message: wrap(type, options, error.message) };
  }
}

function wrap(type: TypeSchema, options: ConformOptions, message: string): string {
  const own = type.kind ?? { kind: shortName(type.name), version: "" };
  const { kind, version } = options.claimed ?? own;
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${own.kind}: ${message}`;
}

/** Leaves the walk at the first value of a wrong type; never leaves this file. */
class Mismatch extends Error {}

/** Likewise, at the value that is too many. */
class TooManyValues extends Error {}

interface Walk {
  readonly schemas: SchemaSet;
  /** Field names, list indices, and map keys with {@link MAP_KEY} before them. */
  readonly path: (string | number)[];
  struct: string;
  readonly strictErrors: string[];
  depth: number;
  values: number;
  readonly shared: SharedField | undefined;
}

const MAP_KEY = "\0";

interface Compiled {
  /** `PodSpec` */
  readonly short: string;
  readonly type: TypeSchema;
  readonly fields: ReadonlyMap<string, Field>;
}

interface Field {
  readonly name: string;
  readonly index: number;
  readonly slot: Slot;
  /** A list or map with nothing in it is as good as none: Go's `omitempty`. */
  readonly isEmptyNone: boolean;
}

/** A field's schema with the type it refers to, found once. */
interface Slot {
  readonly schema: FieldSchema;
  readonly items: Slot | undefined;
  target: Compiled | undefined;
}

const cache = new WeakMap<TypeSchema, Compiled>();

function compiled(type: TypeSchema): Compiled {
  const known = cache.get(type);
  if (known) return known;
  const fields = Object.entries(type.fields).map(
    ([name, schema], index) =>
      [name, { name, index, slot: slotOf(schema), isEmptyNone: isEmptyNone(schema) }] as const,
  );
  const made = { short: shortName(type.name), type, fields: new Map(fields) };
  cache.set(type, made);
  return made;
}

function slotOf(schema: FieldSchema): Slot {
  return { schema, items: schema.items && slotOf(schema.items), target: undefined };
}

function isEmptyNone({ type, isRequired, isPresent }: FieldSchema): boolean {
  return (type === "array" || type === "map") && !isRequired && !isPresent;
}

function isEmpty(value: unknown): boolean {
  for (const _ in value as object) return false;
  return true;
}

const shortName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

function toStruct(walk: Walk, type: Compiled, value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw mismatch(walk, value, goName(type.type.name));
  if (++walk.depth > DEPTH_MAX) throw new Mismatch("exceeded max depth");
  const outer = walk.struct;
  walk.struct = type.short;
  const result: Record<string, unknown> = {};
  for (const field of presentFields(walk, type, value)) {
    walk.path.push(field.name);
    const fitted =
      walk.depth === 1 && field.name === walk.shared?.name
        ? toShared(walk, field.slot, value[field.name], walk.shared)
        : toValue(walk, field.slot, value[field.name]);
    if (!field.isEmptyNone || !isEmpty(fitted)) result[field.name] = fitted;
    walk.path.pop();
  }
  walk.struct = outer;
  walk.depth--;
  return result;
}

/** What equal text became before, unless there was something to report of it. */
function toShared(walk: Walk, slot: Slot, value: unknown, shared: SharedField): unknown {
  const text = JSON.stringify(value);
  const known = shared.find(text);
  if (known) return known;
  const reports = walk.strictErrors.length;
  const fitted = toValue(walk, slot, value);
  if (walk.strictErrors.length === reports) shared.keep(text, fitted as object);
  return fitted;
}

/** The type's fields that the value has, in schema order; unknown ones are reported. */
function presentFields(walk: Walk, type: Compiled, value: Record<string, unknown>): Field[] {
  const fields: Field[] = [];
  for (const key of Object.keys(value)) {
    const field = type.fields.get(key);
    if (field === undefined) reportUnknown(walk, key);
    else if (value[key] !== null) insert(fields, field);
  }
  return fields;
}

/** Nearly always at the end. A sort of so few, of every object that comes, would cost more than the rest of the walk. */
function insert(fields: Field[], field: Field): void {
  let at = fields.push(field) - 1;
  for (; at > 0 && fields[at - 1]!.index > field.index; at--) fields[at] = fields[at - 1]!;
  fields[at] = field;
}

function reportUnknown(walk: Walk, key: string): void {
  if (walk.strictErrors.length >= STRICT_ERRORS_MAX) return;
  const path = shownPath(pathText([...walk.path, key]));
  walk.strictErrors.push(`unknown field ${JSON.stringify(path)}`);
}

function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += (text === "" ? "" : ".") + (part.startsWith(MAP_KEY) ? part.slice(1) : part);
  }
  return text;
}

function toValue(walk: Walk, slot: Slot, value: unknown): unknown {
  const { schema } = slot;
  if (++walk.values > VALUES_MAX) throw new TooManyValues();
  switch (schema.type) {
    case "string":
      if (typeof value !== "string") throw mismatch(walk, value, "string");
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw mismatch(walk, value, "bool");
      return value;
    case "integer":
      return toInteger(walk, schema.format ?? "int64", value);
    case "number":
      if (typeof value !== "number") throw mismatch(walk, value, "float64");
      return value;
    case "ref":
      slot.target ??= compiled(walk.schemas.type(schema.ref!));
      return toStruct(walk, slot.target, value);
    case "array":
      return toArray(walk, slot, value);
    case "map":
      return toMap(walk, slot, value);
    case "intOrString":
      return typeof value === "string" ? value : toInteger(walk, "int32", value);
    case "quantity":
      return toQuantity(value);
    case "time":
    case "microTime":
      return toTime(walk, schema.type, value);
    case "bytes":
      return toBytes(walk, value);
    case "any":
      checkFree(walk, value, walk.depth);
      return value;
  }
}

const INT32_MAX = 2 ** 31 - 1;

function toInteger(walk: Walk, format: "int32" | "int64", value: unknown): number {
  if (typeof value !== "number") throw mismatch(walk, value, format);
  const isInRange =
    format === "int32"
      ? Number.isInteger(value) && value <= INT32_MAX && value >= -INT32_MAX - 1
      : // Beyond 2^53 the parser has already rounded: refused rather than silently changed.
        Number.isSafeInteger(value);
  if (!isInRange) throw mismatch(walk, value, format, `number ${value}`);
  return value === 0 ? 0 : value;
}

function toArray(walk: Walk, { schema, items }: Slot, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw mismatch(walk, value, goType(schema));
  const result: unknown[] = new Array(value.length);
  const at = walk.path.length;
  for (let index = 0; index < value.length; index++) {
    walk.path.push(index);
    const item: unknown = value[index];
    result[index] = item === null ? zeroOf(schema.items!) : toValue(walk, items!, item);
    walk.path.length = at;
  }
  return result;
}

function sortedKeys(value: Record<string, unknown>): readonly string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++)
    if (keys[index - 1]! > keys[index]!) return keys.sort();
  return keys;
}

function toMap(walk: Walk, { schema, items }: Slot, value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw mismatch(walk, value, goType(schema));
  const result: Record<string, unknown> = {};
  for (const key of sortedKeys(value)) {
    walk.path.push(MAP_KEY + key);
    const item = value[key];
    const fitted = item === null ? zeroOf(schema.items!) : toValue(walk, items!, item);
    walk.path.pop();
    if (key !== "__proto__") result[key] = fitted;
    else
      Object.defineProperty(result, key, {
        value: fitted,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return result;
}

/** What Go makes of a null inside a list or map. */
function zeroOf(schema: FieldSchema): unknown {
  if (schema.type === "ref") return {};
  if (schema.type === "boolean") return false;
  if (schema.type === "integer" || schema.type === "number" || schema.type === "intOrString")
    return 0;
  if (schema.type === "quantity") return "0";
  return schema.type === "string" || schema.type === "bytes" ? "" : null;
}

function toQuantity(value: unknown): string {
  // Upstream reads the raw JSON text here, so a wrong type is a wrong format.
  const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
  try {
    return canonicalQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new Mismatch(error.message);
    throw error;
  }
}

function toTime(walk: Walk, kind: "time" | "microTime", value: unknown): string {
  if (typeof value !== "string") throw mismatch(walk, value, "string");
  const time = canonicalTime(value, kind);
  if (time.text === undefined) throw new Mismatch(time.message);
  return time.text;
}

function toBytes(walk: Walk, value: unknown): string {
  if (typeof value !== "string") throw mismatch(walk, value, "[]uint8");
  const text = Buffer.from(value, "base64").toString("base64");
  if (text === value) return value;
  const bare = value.replace(/[\r\n]/g, "");
  const isBase64 = bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare);
  if (isBase64) return text;
  const wrong = /[^A-Za-z0-9+/\r\n]/.exec(value)?.index ?? value.length - (bare.length % 4);
  throw new Mismatch(`illegal base64 data at input byte ${wrong}`);
}

function checkFree(walk: Walk, value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= DEPTH_MAX) throw new Mismatch("exceeded max depth");
  const items = Object.values(value);
  walk.values += items.length;
  if (walk.values > VALUES_MAX) throw new TooManyValues();
  for (const item of items) checkFree(walk, item, depth + 1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @spec Go's encoding/json UnmarshalTypeError: the innermost struct, then the path without indices and map keys */
function mismatch(walk: Walk, value: unknown, goType: string, shown = jsonKind(value)): Mismatch {
  const fields = walk.path.filter(
    (part): part is string => typeof part === "string" && !part.startsWith(MAP_KEY),
  );
  const place =
    walk.struct === "" ? "Go value" : `Go struct field ${walk.struct}.${fields.join(".")}`;
  return new Mismatch(`json: cannot unmarshal ${shown} into ${place} of type ${goType}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const GO_TYPES: Readonly<Partial<Record<FieldSchema["type"], string>>> = {
  boolean: "bool",
  number: "float64",
  intOrString: "intstr.IntOrString",
  quantity: "resource.Quantity",
  time: "v1.Time",
  microTime: "v1.MicroTime",
  bytes: "[]uint8",
  any: "runtime.RawExtension",
};

function goType(schema: FieldSchema): string {
  if (schema.type === "array") return `[]${goType(schema.items!)}`;
  if (schema.type === "map") return `map[string]${goType(schema.items!)}`;
  if (schema.type === "ref") return goName(schema.ref!);
  if (schema.type === "integer") return schema.format ?? "int64";
  return GO_TYPES[schema.type] ?? "string";
}

/** `v1.PodSpec` */
const goName = (name: string): string => name.split(".").slice(-2).join(".");
