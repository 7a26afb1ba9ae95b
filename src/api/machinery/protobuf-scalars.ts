// The small messages that stand for one JSON value each: times, quantities, int-or-string, free JSON.
import { ProtobufError, ProtobufReader, ProtobufWriter } from "../../base/protobuf.ts";
import { WIRE_BYTES, WIRE_VARINT } from "../../base/protobuf.ts";

type Field = number | Buffer | undefined;

/** Fields 1 to 3 of a message: numbers and bytes. */
function firstFields(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  const reader = new ProtobufReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    if (number <= 3 && wireType === WIRE_VARINT) fields[number - 1] = reader.varint();
    else if (number <= 3 && wireType === WIRE_BYTES) fields[number - 1] = reader.bytes();
    else reader.skip(wireType);
  }
  return fields;
}

const numberOf = (field: Field): number => (typeof field === "number" ? field : 0);

const textOf = (field: Field): string => (Buffer.isBuffer(field) ? field.toString() : "");

/** The first and last second of the years 0 to 9999: what RFC 3339 can write. */
const SECONDS_MIN = -62_167_219_200;
const SECONDS_MAX = 253_402_300_799;

/**
 * RFC 3339, or `undefined` for the zero time, which has no bytes.
 *
 * @throws {ProtobufError} no time
 * @spec k8s@1.36 apimachinery meta/v1 time_proto.go, micro_time_proto.go
 */
export function decodeTime(bytes: Buffer, kind: "time" | "microTime"): string | undefined {
  if (bytes.length === 0) return undefined;
  const [first, second] = firstFields(bytes);
  const seconds = numberOf(first);
  if (!(seconds >= SECONDS_MIN && seconds <= SECONDS_MAX))
    throw new ProtobufError("Time.MarshalJSON: year outside of range [0,9999]");
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (kind === "time") return `${text}Z`;
  const micros = Math.trunc(numberOf(second) / 1000);
  if (micros < 0 || micros > 999_999) throw new ProtobufError("proto: nanos out of range");
  return `${text}.${String(micros).padStart(6, "0")}Z`;
}

/** The message of a time. @throws {ProtobufError} no time */
export function encodeTime(text: string): Buffer {
  const seconds = Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) throw new ProtobufError(`not a time: ${text}`);
  const micros = Number((/\.(\d+)/.exec(text)?.[1] ?? "").slice(0, 6).padEnd(6, "0"));
  const writer = new ProtobufWriter();
  writer.varint(1, seconds);
  writer.varint(2, micros * 1000);
  return writer.end();
}

/** The quantity's text; an empty message is the zero quantity. */
export function decodeQuantity(bytes: Buffer): string {
  const text = textOf(firstFields(bytes)[0]);
  return text === "" ? "0" : text;
}

/** The message of a quantity. @spec apimachinery pkg/api/resource */
export function encodeQuantity(value: unknown): Buffer {
  const writer = new ProtobufWriter();
  writer.bytes(1, Buffer.from(String(value)));
  return writer.end();
}

/** A number or a text, as the message says. @spec apimachinery pkg/util/intstr */
export function decodeIntOrString(bytes: Buffer): number | string {
  const [type, int, text] = firstFields(bytes);
  return numberOf(type) === 1 ? textOf(text) : numberOf(int);
}

/** The message of a number or a text; Go writes all three fields. */
export function encodeIntOrString(value: unknown): Buffer {
  const writer = new ProtobufWriter();
  const isText = typeof value === "string";
  writer.varint(1, isText ? 1 : 0);
  writer.varint(2, isText ? 0 : Number(value));
  writer.bytes(3, Buffer.from(isText ? value : ""));
  return writer.end();
}

/** The value in a RawExtension or FieldsV1; `undefined` when there is none. @throws {ProtobufError} not JSON */
export function decodeJson(bytes: Buffer): unknown {
  const text = textOf(firstFields(bytes)[0]);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtobufError(`raw extension is not JSON: ${(error as Error).message}`);
  }
}

/** The message of a RawExtension or FieldsV1. */
export function encodeJson(value: unknown): Buffer {
  const writer = new ProtobufWriter();
  writer.bytes(1, Buffer.from(JSON.stringify(value)));
  return writer.end();
}
