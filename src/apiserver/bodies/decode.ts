import { badRequest, unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import {
  DecodeError,
  decodeJson,
  decodeYaml,
  undecodableBody,
  type Decoded,
} from "../../api/machinery/yaml.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { conform } from "../../api/machinery/conform.ts";
import type { ServedResource } from "../resource-table.ts";

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
  const { value, duplicateFields } = decodeBody(bytes, contentType, served.kind.kind);
  const object = checkKind(served, value);
  const repeated = duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`);
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

/** The value of a body. @throws {StatusError} BadRequest, UnsupportedMediaType */
export function parseBody(bytes: Buffer, contentType: string | undefined, kind: string): unknown {
  return decodeBody(bytes, contentType, kind).value;
}

function decodeBody(bytes: Buffer, contentType: string | undefined, kind: string): Decoded {
  const mediaType = mediaTypeOf(contentType);
  const isYaml = mediaType === "application/yaml";
  if (!isYaml && mediaType !== "application/json")
    throw unsupportedMediaType(["application/json", "application/yaml"]);
  try {
    const text = bytes.toString();
    return isYaml ? decodeYaml(text) : decodeJson(text);
  } catch (error) {
    throw error instanceof DecodeError ? undecodableBody(kind, error, bytes) : error;
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
