import { isRecord } from "../../api/machinery/json-value.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import { DecodeError, decodeYaml } from "../../api/machinery/yaml.ts";
import type { ApiCall } from "../api-call.ts";
import { mediaTypeOf } from "../bodies/decode.ts";
import type { ApiRequest } from "../request.ts";

/** The media type of server-side apply; JSON is YAML too. */
export const APPLY_PATCH = "application/apply-patch+yaml";

/** True for a server-side apply. */
export function isApplyPatch(request: ApiRequest): boolean {
  return mediaTypeOf(request.headers["content-type"]) === APPLY_PATCH;
}

/**
 * The applied configuration of a request, as it was sent. Repeated fields are judged as the call asks; fields that the type does
 * not have are refused later, whatever it asks.
 *
 * @throws {StatusError} BadRequest
 * @spec k8s@1.36 apiserver endpoints/handlers/patch.go applyPatcher
 */
export async function configOf(call: ApiCall, request: ApiRequest): Promise<KubeObject> {
  const body = call.measure(await request.body());
  const { value, duplicateFields } = decoded(body.toString());
  const pause = call.pause();
  if (pause) await pause;
  if (!isRecord(value)) throw badRequest("error decoding YAML: expected an object");
  const repeated = duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`);
  const { fieldValidation } = call.flags;
  if (repeated.length > 0 && fieldValidation === "Strict")
    throw badRequest(`error strict decoding YAML: ${repeated.join(", ")}`);
  if (fieldValidation === "Warn") for (const problem of repeated) call.warn(problem);
  for (const field of ["apiVersion", "kind"] as const)
    if (typeof (value[field] ?? "") !== "string")
      throw badRequest(`error decoding YAML: ${field} must be a string`);
  const { metadata } = value;
  if (metadata !== undefined && metadata !== null && !isRecord(metadata))
    throw badRequest("error decoding YAML: metadata must be an object");
  return value as KubeObject;
}

function decoded(text: string): ReturnType<typeof decodeYaml> {
  try {
    return decodeYaml(text);
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}
