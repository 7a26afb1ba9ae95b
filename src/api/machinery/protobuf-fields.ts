import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";

/** A type's fields as protobuf has them. */
export interface Message {
  /** `PodSpec`: what messages name. */
  readonly short: string;
  readonly byNumber: ReadonlyMap<number, Entry>;
  /** Ascending by number, the order in which they are written. */
  readonly entries: readonly Entry[];
}

/** A field, or a message that holds fields of the same JSON object because Go embeds its struct. */
export type Entry =
  | { readonly number: number; readonly name: string; readonly schema: FieldSchema }
  | { readonly number: number; readonly name?: never; readonly inner: Message };

const known = new WeakMap<TypeSchema, Message>();

/** The fields of a type, found once; those without a number are left out. */
export function messageOf(type: TypeSchema): Message {
  const found = known.get(type);
  if (found) return found;
  const short = type.name.slice(type.name.lastIndexOf(".") + 1);
  const made = arrange(short, Object.entries(type.fields), 0);
  known.set(type, made);
  return made;
}

/** True when values of this type can travel as protobuf at all. */
export function hasMessage(type: TypeSchema): boolean {
  return Object.values(type.fields).some(({ number }) => number !== undefined);
}

/** The message of the type that a field refers to. */
export function messageOfRef(schemas: SchemaSet, schema: FieldSchema): Message {
  return messageOf(schemas.type(schema.ref!));
}

/** `depth`: how many embedded structs the fields are already inside of. */
function arrange(
  short: string,
  fields: readonly (readonly [string, FieldSchema])[],
  depth: number,
): Message {
  const byNumber = new Map<number, Entry>();
  const embedded = new Map<number, [string, FieldSchema][]>();
  for (const [name, schema] of fields) {
    if (schema.number === undefined) continue;
    const outer = schema.within?.[depth];
    if (outer === undefined) byNumber.set(schema.number, { number: schema.number, name, schema });
    else embedded.set(outer, [...(embedded.get(outer) ?? []), [name, schema]]);
  }
  for (const [number, inner] of embedded)
    byNumber.set(number, { number, inner: arrange(short, inner, depth + 1) });
  const entries = [...byNumber.values()].sort((a, b) => a.number - b.number);
  return { short, byNumber, entries };
}
