import {
  openProtobuf,
  protobufType,
  readProtobuf,
  speaksProtobuf,
  type ProtobufDocument,
} from "../../api/machinery/protobuf.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import { badRequest, unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import { ProtobufError } from "../../base/protobuf.ts";
import type { ExpectedKind } from "./decode.ts";

export const PROTOBUF = "application/vnd.kubernetes.protobuf";
const TEXT_TYPES = ["application/json", "application/yaml"];
/** What bodies may be, as a refusal lists it. */
export const MEDIA_TYPES = [...TEXT_TYPES, PROTOBUF];

/** Bytes of a body that an error quotes. @spec handlers/rest.go transformDecodeError */
const QUOTED_BYTES = 30;

/**
 * The value of a protobuf body: what the same object in JSON would parse to.
 *
 * @throws {StatusError} BadRequest; UnsupportedMediaType for types that exist only as JSON, like custom resources
 * @spec k8s@1.36 apiserver endpoints/handlers/rest.go transformDecodeError
 */
export function parseProtobuf(schemas: SchemaSet, bytes: Buffer, expected: ExpectedKind): unknown {
  const document = opened(bytes, expected);
  const { apiVersion, kind } = document;
  const type = protobufType(schemas, apiVersion, kind);
  const isExpected = apiVersion === expected.apiVersion && kind === expected.kind;
  if (!type && !isExpected)
    throw refused(
      document,
      expected,
      `no kind "${kind}" is registered for version "${apiVersion}"`,
    );
  if (!type || !speaksProtobuf(type)) throw unsupportedMediaType(TEXT_TYPES);
  try {
    return readProtobuf(schemas, type, document);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw refused(document, expected, error.message);
  }
}

function opened(bytes: Buffer, expected: ExpectedKind): ProtobufDocument {
  try {
    const { apiVersion, kind, raw } = openProtobuf(bytes);
    return {
      apiVersion: apiVersion || expected.apiVersion,
      kind: kind || expected.kind,
      raw,
    };
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    const who = `the object provided is unrecognized (must be of type ${expected.kind})`;
    throw badRequest(`${who}: ${error.message} (${quoted(bytes)})`);
  }
}

function quoted(bytes: Buffer): string {
  if (bytes.length === 0) return "<empty>";
  const head = bytes.subarray(0, QUOTED_BYTES);
  const text = bytes[0] === 0x7b ? head.toString() : head.toString("hex");
  return bytes.length > QUOTED_BYTES ? `${text} ...` : text;
}

function refused({ apiVersion, kind }: ProtobufDocument, expected: ExpectedKind, why: string) {
  const version = apiVersion.slice(apiVersion.lastIndexOf("/") + 1);
  return badRequest(
    `${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${why}`,
  );
}
