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

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/** Message nesting; deeper input is refused, so that no answer overflows the stack. CRI's deepest is about 8. */
const DEPTH_MAX = 64;

/** The bytes are no message of the expected type. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

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
    encode: (value) => {
      const parts: Uint8Array[] = [];
      encodeMessage(fieldsOf, name, value as Message, parts);
      return Buffer.concat(parts);
    },
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

function encodeMessage(fieldsOf: FieldsOf, name: string, value: Message, out: Uint8Array[]): void {
  for (const field of fieldsOf(name)) {
    const content = value[field.name];
    if (content === undefined || content === null) continue;
    if (field.type === "map") {
      for (const entry of Object.entries(content as Record<string, string>))
        out.push(...delimited(field.number, encodeEntry(entry)));
    } else if (field.isRepeated) {
      for (const item of content as readonly unknown[]) encodeValue(fieldsOf, field, item, out);
    } else if (!isZero(content)) encodeValue(fieldsOf, field, content, out);
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === false;
}

function encodeEntry([key, value]: readonly [string, string]): Uint8Array {
  return Buffer.concat([
    ...delimited(1, Buffer.from(key, "utf8")),
    ...delimited(2, Buffer.from(value, "utf8")),
  ]);
}

function encodeValue(fieldsOf: FieldsOf, field: Field, value: unknown, out: Uint8Array[]): void {
  switch (field.type) {
    case "string":
      out.push(...delimited(field.number, Buffer.from(value as string, "utf8")));
      return;
    case "bytes":
      out.push(...delimited(field.number, value as Uint8Array));
      return;
    case "bool":
    case "int":
      out.push(varint(field.number * 8 + WIRE_VARINT), varint(Number(value)));
      return;
    case "double": {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      out.push(varint(field.number * 8 + WIRE_FIXED64), bytes);
      return;
    }
    default: {
      const inner: Uint8Array[] = [];
      encodeMessage(fieldsOf, field.message, value as Message, inner);
      out.push(...delimited(field.number, Buffer.concat(inner)));
    }
  }
}

function delimited(number: number, bytes: Uint8Array): Uint8Array[] {
  return [varint(number * 8 + WIRE_BYTES), varint(bytes.length), bytes];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A cursor over one message's bytes. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Signed 64-bit, as a number. */
  varint(): number {
    let low = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new ProtobufError("message ends inside a number");
      if (count === 9 && byte & 1) return this.#negative(this.#at);
      low += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return low;
    }
    throw new ProtobufError("a number has more than 10 bytes");
  }

  /** A negative number always takes ten bytes; they end before `end`. */
  #negative(end: number): number {
    let value = 0n;
    for (let i = 9; i >= 0; i--) value = (value << 7n) | BigInt(this.#bytes[end - 10 + i]! & 127);
    return Number(BigInt.asIntN(64, value));
  }

  take(length: number): Buffer {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new ProtobufError("message ends inside a field");
    return this.#bytes.subarray(from, this.#at);
  }

  /** Steps over a field of a type that the table does not know. */
  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_FIXED64) this.take(8);
    else if (wireType === WIRE_BYTES) this.take(this.varint());
    else if (wireType === WIRE_FIXED32) this.take(4);
    else throw new ProtobufError(`unknown wire type ${wireType}`);
  }
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
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const wireType = tag % 8;
    const field = fields.find(({ number }) => number === (tag - wireType) / 8);
    if (!field) reader.skip(wireType);
    else decodeField(fieldsOf, field, wireType, reader, value, depth);
  }
  return value;
}

function decodeField(
  fieldsOf: FieldsOf,
  field: Field,
  wireType: number,
  reader: Reader,
  value: Message,
  depth: number,
): void {
  if (field.type === "map") {
    const entry = decodeMessage(() => ENTRY_FIELDS, "", reader.take(reader.varint()), depth + 1);
    Object.defineProperty(value[field.name], entry["key"] as string, {
      value: entry["value"],
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return;
  }
  if (field.isRepeated && wireType === WIRE_BYTES && isPackable(field)) {
    const packed = new Reader(reader.take(reader.varint()));
    while (!packed.isAtEnd) (value[field.name] as unknown[]).push(readScalar(field, packed));
    return;
  }
  const item =
    field.type === "message"
      ? decodeMessage(fieldsOf, field.message, reader.take(reader.varint()), depth + 1)
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

function readScalar(field: Field, reader: Reader): unknown {
  switch (field.type) {
    case "string":
      return reader.take(reader.varint()).toString("utf8");
    case "bytes":
      return Buffer.from(reader.take(reader.varint()));
    case "bool":
      return reader.varint() !== 0;
    case "double":
      return reader.take(8).readDoubleLE();
    default:
      return reader.varint();
  }
}
