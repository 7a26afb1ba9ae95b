import { ProtobufError, ProtobufReader, ProtobufWriter, WIRE_BYTES } from "../../base/protobuf.ts";

/**
 * Protobuf from tables of field numbers. @spec protobuf.dev/programming-guides/encoding
 */
export interface MessageCodec<T> {
  encode(value: T): Buffer;
  decode(bytes: Uint8Array): T;
}

type Scalar = "string" | "bytes" | "bool" | "int" | "double";

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: Scalar | "map" | "message";
  /** For messages: the name in the table. */
  readonly message: string;
  readonly isRepeated: boolean;
}

type Message = Record<string, unknown>;

/** Message nesting; deeper input is refused, so that no answer overflows the stack. CRI's deepest is about 8. */
const DEPTH_MAX = 64;

/**
 * Reads a table `Message → "field:type=number …"` and hands out codecs by message name.
 *
 * Types: `string bytes bool int double map` (string to string) or another message's name; `[]` repeats. `int` stands
 * for every varint type but `sint`, enums included.
 */
export function messageCodecs<Name extends string>(
  table: Readonly<Record<Name, string>>,
): <T>(name: Name) => MessageCodec<T> {
  const parsed = new Map<string, readonly Field[]>();
  const fieldsOf = (name: string): readonly Field[] => {
    let fields = parsed.get(name);
    if (!fields) {
      const text = (table as Readonly<Record<string, string | undefined>>)[name];
      if (text === undefined) throw new ProtobufError(`no message ${name} in the table`);
      parsed.set(name, (fields = text.split(" ").filter(Boolean).map(parseField)));
    }
    return fields;
  };
  return <T>(name: Name): MessageCodec<T> => ({
    encode: (value) => encodeMessage(fieldsOf, name, value as Message),
    decode: (bytes) => decodeMessage(fieldsOf, name, bytes, 0) as T,
  });
}

function parseField(text: string): Field {
  const match = /^(\w+):(\w+)(\[\])?=(\d+)$/.exec(text);
  if (!match) throw new ProtobufError(`not a field: ${text}`);
  const [, name, type, repeated, number] = match;
  const isBuiltin = /^(string|bytes|bool|int|double|map)$/.test(type!);
  return {
    name: name!,
    number: Number(number),
    type: isBuiltin ? (type as Field["type"]) : "message",
    message: isBuiltin ? "" : type!,
    isRepeated: repeated !== undefined,
  };
}

type FieldsOf = (name: string) => readonly Field[];

function encodeMessage(fieldsOf: FieldsOf, name: string, value: Message): Buffer {
  const writer = new ProtobufWriter();
  for (const field of fieldsOf(name)) {
    const content = value[field.name];
    if (content === undefined || content === null) continue;
    if (field.type === "map") {
      for (const entry of Object.entries(content as Record<string, string>))
        writer.bytes(field.number, encodeEntry(entry));
    } else if (field.isRepeated) {
      for (const item of content as readonly unknown[]) encodeValue(fieldsOf, field, item, writer);
    } else if (!isZero(content)) encodeValue(fieldsOf, field, content, writer);
  }
  return writer.end();
}

function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === false;
}

function encodeEntry([key, value]: readonly [string, string]): Uint8Array {
  const writer = new ProtobufWriter();
  writer.bytes(1, Buffer.from(key));
  writer.bytes(2, Buffer.from(value));
  return writer.end();
}

function encodeValue(
  fieldsOf: FieldsOf,
  { type, number, message }: Field,
  value: unknown,
  writer: ProtobufWriter,
): void {
  if (type === "string") writer.bytes(number, Buffer.from(value as string));
  else if (type === "bytes") writer.bytes(number, value as Uint8Array);
  else if (type === "double") writer.double(number, value as number);
  else if (type === "message")
    writer.bytes(number, encodeMessage(fieldsOf, message, value as Message));
  else writer.varint(number, Math.trunc(Number(value)));
}

function zeroOf(field: Field): unknown {
  if (field.isRepeated) return [];
  switch (field.type) {
    case "string":
      return "";
    case "bytes":
      return Buffer.alloc(0);
    case "bool":
      return false;
    case "int":
    case "double":
      return 0;
    case "map":
      return {};
    case "message":
      return undefined;
  }
}

function decodeMessage(
  fieldsOf: FieldsOf,
  name: string,
  bytes: Uint8Array,
  depth: number,
): Message {
  if (depth > DEPTH_MAX) throw new ProtobufError("message is nested too deeply");
  const fields = fieldsOf(name);
  const value: Message = {};
  for (const field of fields) {
    const zero = zeroOf(field);
    if (zero !== undefined) value[field.name] = zero;
  }
  const reader = new ProtobufReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    const field = fields.find((one) => one.number === number);
    if (!field) reader.skip(wireType);
    else decodeField(fieldsOf, field, wireType, reader, value, depth);
  }
  return value;
}

function decodeField(
  fieldsOf: FieldsOf,
  field: Field,
  wireType: number,
  reader: ProtobufReader,
  value: Message,
  depth: number,
): void {
  if (field.type === "map") {
    const entry = decodeMessage(() => ENTRY_FIELDS, "", reader.bytes(), depth + 1);
    Object.defineProperty(value[field.name], entry["key"] as string, {
      value: entry["value"],
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return;
  }
  if (field.isRepeated && wireType === WIRE_BYTES && isPackable(field)) {
    const packed = new ProtobufReader(reader.bytes());
    while (!packed.isAtEnd) (value[field.name] as unknown[]).push(readScalar(field, packed));
    return;
  }
  const item =
    field.type === "message"
      ? decodeMessage(fieldsOf, field.message, reader.bytes(), depth + 1)
      : readScalar(field, reader);
  if (field.isRepeated) (value[field.name] as unknown[]).push(item);
  else value[field.name] = item;
}

const ENTRY_FIELDS: readonly Field[] = [
  { name: "key", number: 1, type: "string", message: "", isRepeated: false },
  { name: "value", number: 2, type: "string", message: "", isRepeated: false },
];

function isPackable(field: Field): boolean {
  return field.type === "int" || field.type === "bool" || field.type === "double";
}

function readScalar(field: Field, reader: ProtobufReader): unknown {
  switch (field.type) {
    case "string":
      return reader.bytes().toString("utf8");
    case "bytes":
      return Buffer.from(reader.bytes());
    case "bool":
      return reader.varint() !== 0;
    case "double":
      return reader.double();
    default:
      return reader.varint();
  }
}
