import type { Status } from "../api/machinery/status-error.ts";
import type { HttpResponse } from "../wire/http/exchange.ts";

/** What the pipeline answers: the transport adds nothing but framing. */
export type ApiResponse = HttpResponse;

/** Of every answer that depends on the moment. @spec k8s@1.36 apiserver endpoints/filters/cachecontrol.go */
const NO_CACHE = "no-cache, private";

/** A JSON answer of bytes that are ready. */
export function jsonResponse(
  status: number,
  body: Buffer,
  warnings: readonly string[] = [],
): ApiResponse {
  if (warnings.length === 0)
    return {
      status,
      headers: { "content-type": "application/json", "cache-control": NO_CACHE },
      body,
    };
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": NO_CACHE,
      warning: warnings.map(warningHeader),
    },
    body,
  };
}

/** Any object as JSON. */
export function objectResponse(
  status: number,
  object: object,
  warnings: readonly string[] = [],
): ApiResponse {
  return jsonResponse(status, Buffer.from(`${JSON.stringify(object)}\n`), warnings);
}

/** A refusal as its Status. */
export function statusResponse(status: Status, warnings: readonly string[] = []): ApiResponse {
  const response = objectResponse(status.code, status, warnings);
  const retryAfter = status.details?.retryAfterSeconds;
  if (!retryAfter) return response;
  return { ...response, headers: { ...response.headers, "retry-after": String(retryAfter) } };
}

/** Plain text, as health checks and metrics answer. */
export function textResponse(status: number, text: string, type = "text/plain"): ApiResponse {
  return {
    status,
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": NO_CACHE,
      "x-content-type-options": "nosniff",
    },
    body: Buffer.from(text),
  };
}

/** `299 - "text"`: RFC 7234's form. Control characters would end the header. @spec apimachinery util/net NewWarningHeader */
function warningHeader(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cs}\p{Co}]/gu, " ");
  const quoted = plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  // Headers are Latin-1 to Node; the bytes on the wire are UTF-8.
  return `299 - "${Buffer.from(quoted).toString("latin1")}"`;
}
