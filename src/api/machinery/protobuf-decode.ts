import { ProtobufError, ProtobufReader } from "../../base/protobuf.ts";
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from "../../base/protobuf.ts";
import { setOwn } from "./json-value.ts";
import { messageOf, messageOfRef, type Message } from "./protobuf-fields.ts";
import { decodeIntOrString, decodeJson, decodeQuantity, decodeTime } from "./protobuf-scalars.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";

/** Nesting of messages. The deepest type is under 20; ten times this would still fit the stack. */
const DEPTH_MAX = 100;

type JsonObject = Record<string, unknown>;

interface Decoding {
  readonly schemas: SchemaSet;
  depth: number;
}

/**
 * The value that the JSON form of the same object would parse to; unknown fields are skipped.
 *
 * Of scalars that are no pointers Go sends zeros too; they are dropped here as `omitempty` drops them there.
 * @throws {ProtobufError} truncated, malformed or too deep
 */
export function decodeMessage(schemas: SchemaSet, type: TypeSchema, bytes: Buffer): JsonObject {
  const value: JsonObject = {};
  fill({ schemas, depth: 0 }, messageOf(type), bytes, value);
  return value;
}

/** Reads fields into `value`: a message that comes in several parts is one message. */
function fill(decoding: Decoding, message: Message, bytes: Buffer, value: JsonObject): void {
  if (++decoding.depth > DEPTH_MAX) throw new ProtobufError("exceeded max depth");
  const reader = new ProtobufReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    const entry = message.byNumber.get(number);
    if (!entry) reader.skip(wireType);
    else if (entry.name === undefined) {
      expect(wireType, WIRE_BYTES, message.short);
      fill(decoding, entry.inner, reader.bytes(), value);
    } else {
      const { name, schema } = entry;
      const read = decodeField(decoding, schema, reader, wireType, value[name], name);
      if (read !== undefined) value[name] = read;
    }
  }
  decoding.depth--;
}

/** The new value of a field; `undefined` when nothing is to be set. */
function decodeField(
  decoding: Decoding,
  schema: FieldSchema,
  reader: ProtobufReader,
  wireType: number,
  old: unknown,
  name: string,
): unknown {
  if (schema.type === "array") {
    const list = (old as unknown[] | undefined) ?? [];
    decodeItems(decoding, schema.items!, reader, wireType, list, name);
    return list;
  }
  if (schema.type === "map") {
    expect(wireType, WIRE_BYTES, name);
    const map = (old as JsonObject | undefined) ?? {};
    decodeEntry(decoding, schema.items!, reader.bytes(), map);
    return map;
  }
  const value = decodeValue(decoding, schema, reader, wireType, old, name);
  const isMeant = schema.isPointer === true || schema.isRequired === true;
  return isMeant || !isZero(value) ? value : undefined;
}

const isZero = (value: unknown): boolean => value === "" || value === 0 || value === false;

/** One more item, or several numbers packed into one field. */
function decodeItems(
  decoding: Decoding,
  item: FieldSchema,
  reader: ProtobufReader,
  wireType: number,
  list: unknown[],
  name: string,
): void {
  if (wireType !== WIRE_BYTES || wireTypeOf(item) === WIRE_BYTES) {
    list.push(decodeValue(decoding, item, reader, wireType, undefined, name) ?? null);
    return;
  }
  const packed = new ProtobufReader(reader.bytes());
  while (!packed.isAtEnd)
    list.push(decodeValue(decoding, item, packed, wireTypeOf(item), undefined, name));
}

function decodeEntry(
  decoding: Decoding,
  schema: FieldSchema,
  bytes: Buffer,
  map: JsonObject,
): void {
  const reader = new ProtobufReader(bytes);
  let key = "";
  let value: unknown;
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    if (number === 1) {
      expect(wireType, WIRE_BYTES, "key");
      key = reader.bytes().toString();
    } else if (number === 2)
      value = decodeValue(decoding, schema, reader, wireType, undefined, key);
    else reader.skip(wireType);
  }
  setOwn(map, key, value ?? zeroOf(schema));
}

function zeroOf({ type }: FieldSchema): unknown {
  if (type === "ref" || type === "map") return {};
  if (type === "array") return [];
  if (type === "boolean") return false;
  if (type === "integer" || type === "number" || type === "intOrString") return 0;
  if (type === "quantity") return "0";
  return type === "string" || type === "bytes" ? "" : null;
}

function decodeValue(
  decoding: Decoding,
  schema: FieldSchema,
  reader: ProtobufReader,
  wireType: number,
  old: unknown,
  name: string,
): unknown {
  expect(wireType, wireTypeOf(schema), name);
  switch (schema.type) {
    case "string":
      return reader.bytes().toString();
    case "boolean":
      return reader.varint() !== 0;
    case "integer":
      return toInteger(schema, reader.varint());
    case "number":
      return reader.double();
    case "bytes":
      return reader.bytes().toString("base64");
    case "time":
    case "microTime":
      return decodeTime(reader.bytes(), schema.type);
    case "quantity":
      return decodeQuantity(reader.bytes());
    case "intOrString":
      return decodeIntOrString(reader.bytes());
    case "any":
      return decodeJson(reader.bytes());
    case "ref": {
      const object = (old as JsonObject | undefined) ?? {};
      fill(decoding, messageOfRef(decoding.schemas, schema), reader.bytes(), object);
      return object;
    }
    default:
      return decodeWrapped(decoding, schema, reader.bytes(), name);
  }
}

/** Go keeps the low 32 bits of what a field of 32 bits is sent. */
function toInteger(schema: FieldSchema, value: number): number {
  return schema.format === "int32" && Number.isSafeInteger(value)
    ? Number(BigInt.asIntN(32, BigInt(value)))
    : value;
}

/** A list inside a map or list: a message with the list as its field 1. @spec ExtraValue in authentication/v1 */
function decodeWrapped(
  decoding: Decoding,
  schema: FieldSchema,
  bytes: Buffer,
  name: string,
): unknown[] {
  if (++decoding.depth > DEPTH_MAX) throw new ProtobufError("exceeded max depth");
  const list: unknown[] = [];
  const reader = new ProtobufReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    if (number === 1) decodeItems(decoding, schema.items!, reader, wireType, list, name);
    else reader.skip(wireType);
  }
  decoding.depth--;
  return list;
}

function wireTypeOf({ type }: FieldSchema): number {
  if (type === "boolean" || type === "integer") return WIRE_VARINT;
  return type === "number" ? WIRE_FIXED64 : WIRE_BYTES;
}

function expect(wireType: number, wanted: number, name: string): void {
  if (wireType === wanted) return;
  const field = name.charAt(0).toUpperCase() + name.slice(1);
  throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${field}`);
}
