import { ProtobufWriter } from "../../base/protobuf.ts";
import type { JsonRecord } from "./json-value.ts";
import { messageOf, messageOfRef, type Message } from "./protobuf-fields.ts";
import { encodeIntOrString, encodeJson, encodeQuantity, encodeTime } from "./protobuf-scalars.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";

/** The message of a value that conforms to its type. Fields without a number are left out. */
export function encodeMessage(schemas: SchemaSet, type: TypeSchema, value: JsonRecord): Buffer {
  return encodeFields(schemas, messageOf(type), value).end();
}

function encodeFields(schemas: SchemaSet, message: Message, value: JsonRecord): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const entry of message.entries) {
    if (entry.name === undefined) {
      const inner = encodeFields(schemas, entry.inner, value).end();
      if (inner.length > 0) writer.bytes(entry.number, inner);
    } else if (Object.hasOwn(value, entry.name) && value[entry.name] !== null)
      encodeField(schemas, writer, entry.number, entry.schema, value[entry.name]);
  }
  return writer;
}

function encodeField(
  schemas: SchemaSet,
  writer: ProtobufWriter,
  number: number,
  schema: FieldSchema,
  value: unknown,
): void {
  if (schema.type === "array") {
    for (const item of value as readonly unknown[])
      encodeValue(schemas, writer, number, schema.items!, item);
  } else if (schema.type === "map") {
    for (const key of Object.keys(value as JsonRecord).sort()) {
      const entry = new ProtobufWriter();
      entry.bytes(1, Buffer.from(key));
      encodeValue(schemas, entry, 2, schema.items!, (value as JsonRecord)[key]);
      writer.bytes(number, entry.end());
    }
  } else encodeValue(schemas, writer, number, schema, value);
}

function encodeValue(
  schemas: SchemaSet,
  writer: ProtobufWriter,
  number: number,
  schema: FieldSchema,
  value: unknown,
): void {
  if (schema.type === "boolean") writer.varint(number, value ? 1 : 0);
  else if (schema.type === "integer") writer.varint(number, value as number);
  else if (schema.type === "number") writer.double(number, value as number);
  else writer.bytes(number, encodeBytes(schemas, schema, value));
}

function encodeBytes(schemas: SchemaSet, schema: FieldSchema, value: unknown): Buffer {
  switch (schema.type) {
    case "bytes":
      return Buffer.from(value as string, "base64");
    case "time":
    case "microTime":
      return encodeTime(value as string);
    case "quantity":
      return encodeQuantity(value);
    case "intOrString":
      return encodeIntOrString(value);
    case "any":
      return encodeJson(value);
    case "ref":
      return encodeFields(schemas, messageOfRef(schemas, schema), value as JsonRecord).end();
    case "array":
    case "map": {
      // Protobuf has no lists in lists or maps: a message stands between them.
      const wrapper = new ProtobufWriter();
      encodeField(schemas, wrapper, 1, schema, value);
      return wrapper.end();
    }
    default:
      return Buffer.from(value as string);
  }
}
