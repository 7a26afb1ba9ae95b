import { badRequest, unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import { jsonTypeName } from "../../api/machinery/json-value.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import {
  DecodeError,
  decodeJson,
  decodeYaml,
  undecodableBody,
  type Decoded,
} from "../../api/machinery/yaml.ts";
import { tooManyValues } from "../../api/machinery/json-bounds.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { conform } from "../../api/machinery/conform.ts";
import { hubObject } from "../registry/face.ts";
import type { ServedResource } from "../resource-table.ts";
import { MEDIA_TYPES, PROTOBUF, parseProtobuf } from "./protobuf-body.ts";

/**
 * The object of a request body as the verbs take it: parsed, of the expected kind, conforming to its schema, with defaults.
 *
 * `served`: the apiVersion that the client speaks.
 *
 * @throws {StatusError} BadRequest, UnsupportedMediaType
 * @spec k8s@1.36 apiserver endpoints/handlers/create.go, rest.go transformDecodeError
 */
export function decodeObject(
  parts: ServerParts,
  call: ApiCall,
  served: ServedResource,
  bytes: Buffer,
  contentType: string | undefined,
): KubeObject {
  const expected = { apiVersion: served.apiVersion, kind: served.kind.kind };
  const { value, duplicateFields } = decodeBody(parts.schemas, bytes, contentType, expected);
  const object = checkKind(served, value);
  const repeated =
    duplicateFields.length === 0
      ? duplicateFields
      : duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`);
  return withDefaults(served, fitted(parts, call, served, object, repeated));
}

/** A value that is already parsed (the result of a patch, an object of this process), checked likewise. */
export function conformed(
  parts: ServerParts,
  call: ApiCall,
  served: ServedResource,
  value: unknown,
): KubeObject {
  return withDefaults(served, fitted(parts, call, served, checkKind(served, value), []));
}

function withDefaults(face: ServedResource, object: KubeObject): KubeObject {
  return face.resource.strategy.withDefaults(hubObject(face, object));
}

/** Fits `object` to its schema and reports what did not fit as the call asks. */
function fitted(
  parts: ServerParts,
  call: ApiCall,
  served: ServedResource,
  object: KubeObject,
  repeated: readonly string[],
): KubeObject {
  if (!served.schema) return object;
  const shared = served.resource.sharedField;
  const result = conform(parts.schemas, served.schema, object, shared && { shared });
  if (!result.isOk) throw result.isTooLarge ? tooManyValues() : badRequest(result.message);
  if (repeated.length === 0 && result.strictErrors.length === 0) return result.value;
  const { fieldValidation } = call.flags;
  const problems = [...repeated, ...result.strictErrors];
  if (problems.length > 0 && fieldValidation === "Strict") {
    const { kind, version } = served.kind;
    const who = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}`;
    throw badRequest(`${who}: strict decoding error: ${problems.join(", ")}`);
  }
  if (fieldValidation === "Warn") for (const problem of problems) call.warn(problem);
  return result.value;
}

/** Media type without parameters; JSON when there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined || contentType === "application/json") return "application/json";
  const semicolon = contentType.indexOf(";");
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/** What a body should hold, and is taken to hold where it does not say. */
export interface ExpectedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The value of a body in any form that clients may send. @throws {StatusError} BadRequest, UnsupportedMediaType */
export function parseBody(
  schemas: SchemaSet,
  bytes: Buffer,
  contentType: string | undefined,
  expected: ExpectedKind,
): unknown {
  return decodeBody(schemas, bytes, contentType, expected).value;
}

/** The value of a JSON text. @throws {StatusError} BadRequest */
export function parseJson(bytes: Buffer, kind: string): unknown {
  return decodeText(bytes, kind, decodeJson).value;
}

function decodeBody(
  schemas: SchemaSet,
  bytes: Buffer,
  contentType: string | undefined,
  expected: ExpectedKind,
): Decoded {
  switch (mediaTypeOf(contentType)) {
    case "application/json":
      return decodeText(bytes, expected.kind, decodeJson);
    case "application/yaml":
      return decodeText(bytes, expected.kind, decodeYaml);
    case PROTOBUF:
      return { value: parseProtobuf(schemas, bytes, expected), duplicateFields: [] };
    default:
      throw unsupportedMediaType(MEDIA_TYPES);
  }
}

function decodeText(bytes: Buffer, kind: string, decode: (text: string) => Decoded): Decoded {
  try {
    return decode(bytes.toString());
  } catch (error) {
    throw error instanceof DecodeError ? undecodableBody(kind, error, bytes) : error;
  }
}

/** @spec apimachinery pkg/runtime/serializer/json meta.go Interpret */
function checkText(served: ServedResource, value: object, field: "kind" | "apiVersion"): void {
  const given = (value as Readonly<Record<string, unknown>>)[field] ?? "";
  if (typeof given === "string") return;
  const who = `the object provided is unrecognized (must be of type ${served.kind.kind})`;
  const problem = `cannot unmarshal ${jsonTypeName(given)} into Go struct field .${field} of type string`;
  throw badRequest(`${who}: couldn't get version/kind; json parse error: json: ${problem}`);
}

function checkKind(served: ServedResource, value: unknown): KubeObject {
  const { kind, apiVersion } = served;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): expected a JSON object`,
    );
  for (const field of ["kind", "apiVersion"] as const) checkText(served, value, field);
  const object = value as KubeObject;
  if (object.apiVersion !== undefined && object.apiVersion !== apiVersion && object.kind)
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  if (object.kind !== undefined && object.kind !== "" && object.kind !== kind.kind)
    throw badRequest(
      `${object.kind} in version ${JSON.stringify(apiVersion.split("/").at(-1))} cannot be handled as a ${kind.kind}`,
    );
  return object;
}
