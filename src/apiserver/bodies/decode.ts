import { parse } from "yaml";
import { badRequest, unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import type { SchemaSet } from "../../api/machinery/schema.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { findDuplicateFields } from "../../api/machinery/duplicate-fields.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { conform } from "../../api/machinery/conform.ts";
import type { ServedResource } from "../resource-table.ts";
import { MEDIA_TYPES, PROTOBUF, parseProtobuf } from "./protobuf-body.ts";

/**
 * The object of a request body: parsed, of the expected kind, conforming to its schema, with defaults.
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
  const { apiVersion, kind } = served;
  const value = parseBody(parts.schemas, bytes, contentType, { apiVersion, kind: kind.kind });
  const object = checkKind(served, value);
  const repeated = repeatedFields(call, bytes, contentType);
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

function withDefaults(served: ServedResource, object: KubeObject): KubeObject {
  return served.resource.strategy.withDefaults({
    ...object,
    kind: served.kind.kind,
    apiVersion: served.apiVersion,
  });
}

/** JSON's own parser keeps the last of repeated fields silently; only those who want to know pay for the search. */
function repeatedFields(call: ApiCall, bytes: Buffer, contentType: string | undefined): string[] {
  const isAsked = call.flags.fieldValidation !== "Ignore";
  if (!isAsked || mediaTypeOf(contentType) !== "application/json") return [];
  return findDuplicateFields(bytes.toString());
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
  const result = conform(parts.schemas, served.schema, object);
  if (!result.isOk) throw badRequest(result.message);
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
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === "application/json") return parseJson(bytes, expected.kind);
  if (mediaType === "application/yaml") return parseYaml(bytes);
  if (mediaType === PROTOBUF) return parseProtobuf(schemas, bytes, expected);
  throw unsupportedMediaType(MEDIA_TYPES);
}

/** The value of a JSON text. @throws {StatusError} BadRequest */
export function parseJson(bytes: Buffer, kind: string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${(error as Error).message}`,
    );
  }
}

/** Aliases that one document may expand: a small one with many could fill the memory. Real manifests use a few. */
const YAML_ALIASES_MAX = 100;

/** YAML 1.1 with merge keys, as upstream's parser reads it. */
function parseYaml(bytes: Buffer): unknown {
  try {
    const options = { version: "1.1", merge: true, maxAliasCount: YAML_ALIASES_MAX } as const;
    return parse(bytes.toString(), options) as unknown;
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message}`);
  }
}

function checkKind(served: ServedResource, value: unknown): KubeObject {
  const { kind, apiVersion } = served;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): expected a JSON object`,
    );
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
