import { stringify } from "yaml";
import { jsonResponse, type ApiResponse } from "../api-response.ts";
import type { Representation } from "../negotiation.ts";
import type { ObjectVersion } from "../registry/object-version.ts";

const NEWLINE = Buffer.from("\n");

/** One stored object as it is: the bytes that the version already has. */
export function versionResponse(
  status: number,
  version: ObjectVersion,
  warnings: readonly string[],
): ApiResponse {
  const length = version.jsonLength();
  const body = Buffer.allocUnsafe(length + 1);
  version.writeJson(body, 0);
  body[length] = NEWLINE[0]!;
  return jsonResponse(status, body, warnings);
}

/** Any object in the wanted text form. */
export function textOf(object: object, representation: Representation, isPretty: boolean): Buffer {
  if (representation.mediaType === "application/yaml") return Buffer.from(stringify(object));
  if (!isPretty) return Buffer.from(`${JSON.stringify(object)}\n`);
  return Buffer.from(`${JSON.stringify(object, undefined, 2)}\n`);
}

/** An object made for this answer, in the wanted text form. */
export function madeResponse(
  status: number,
  object: object,
  representation: Representation,
  isPretty: boolean,
  warnings: readonly string[],
): ApiResponse {
  const response = jsonResponse(status, textOf(object, representation, isPretty), warnings);
  if (representation.mediaType === "application/json") return response;
  return {
    ...response,
    headers: { ...response.headers, "content-type": representation.mediaType },
  };
}
