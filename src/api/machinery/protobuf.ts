import { ProtobufError, ProtobufReader, ProtobufWriter, WIRE_BYTES } from "../../base/protobuf.ts";
import type { JsonRecord } from "./json-value.ts";
import { decodeMessage } from "./protobuf-decode.ts";
import { encodeMessage } from "./protobuf-encode.ts";
import { hasMessage } from "./protobuf-fields.ts";
import type { SchemaSet, TypeSchema } from "./schema.ts";

/** What a protobuf document starts with. */
const MAGIC = Buffer.from("k8s\0");

/** The numbers of runtime.Unknown and runtime.TypeMeta. @spec k8s@1.36 apimachinery pkg/runtime/generated.proto */
const UNKNOWN = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 } as const;
const TYPE_META = { apiVersion: 1, kind: 2 } as const;

/** A document whose message has not been read yet. */
export interface ProtobufDocument {
  /** `apps/v1`; "" when the document does not say. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/**
 * Opens the envelope of a document.
 *
 * @throws {ProtobufError} with upstream's message
 * @spec k8s@1.36 apimachinery pkg/runtime/serializer/protobuf/protobuf.go Decode
 */
export function openProtobuf(bytes: Buffer): ProtobufDocument {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(" ")}]`,
    );
  if (bytes.length === MAGIC.length) throw new ProtobufError("empty body");
  const envelope = byteFields(bytes.subarray(MAGIC.length));
  const typeMeta = byteFields(envelope.get(UNKNOWN.typeMeta) ?? Buffer.alloc(0));
  return {
    apiVersion: typeMeta.get(TYPE_META.apiVersion)?.toString() ?? "",
    kind: typeMeta.get(TYPE_META.kind)?.toString() ?? "",
    raw: envelope.get(UNKNOWN.raw) ?? Buffer.alloc(0),
  };
}

function byteFields(bytes: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  const reader = new ProtobufReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    if (wireType === WIRE_BYTES) fields.set(number, reader.bytes());
    else reader.skip(wireType);
  }
  return fields;
}

/** The type of a document's kind; `undefined`: none is known. DeleteOptions belong to every group. */
export function protobufType(
  schemas: SchemaSet,
  apiVersion: string,
  kind: string,
): TypeSchema | undefined {
  if (kind === "DeleteOptions") return schemas.root("", "v1", kind);
  const [version, group = ""] = apiVersion.split("/").reverse();
  return schemas.root(group, version!, kind);
}

/** True when documents of this type can be protobuf. */
export const speaksProtobuf = hasMessage;

/**
 * What the JSON form of the document would parse to.
 *
 * @throws {ProtobufError} truncated or malformed
 */
export function readProtobuf(
  schemas: SchemaSet,
  type: TypeSchema,
  document: ProtobufDocument,
): Record<string, unknown> {
  const { apiVersion, kind, raw } = document;
  const value = decodeMessage(schemas, type, raw);
  return { ...(kind && { kind }), ...(apiVersion && { apiVersion }), ...value };
}

/** The whole document of a value that conforms to `type`. */
export function encodeProtobuf(schemas: SchemaSet, type: TypeSchema, value: JsonRecord): Buffer {
  const typeMeta = new ProtobufWriter();
  typeMeta.bytes(TYPE_META.apiVersion, Buffer.from(String(value["apiVersion"] ?? "")));
  typeMeta.bytes(TYPE_META.kind, Buffer.from(String(value["kind"] ?? "")));
  const envelope = new ProtobufWriter();
  envelope.bytes(UNKNOWN.typeMeta, typeMeta.end());
  envelope.bytes(UNKNOWN.raw, encodeMessage(schemas, type, value));
  envelope.bytes(UNKNOWN.contentEncoding, Buffer.alloc(0));
  envelope.bytes(UNKNOWN.contentType, Buffer.alloc(0));
  return Buffer.concat([MAGIC, envelope.end()]);
}
