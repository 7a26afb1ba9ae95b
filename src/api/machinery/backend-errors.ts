import { quoteGo } from "./go-format.ts";
import { resourceNameOf } from "./kind.ts";
import type { ResourceName } from "./status-errors.ts";
import { badRequest, internalError } from "./status-errors.ts";
import { StatusError, type StatusReason } from "./status-error.ts";

/**
 * Failures of servers that a request was passed on to: the part of the catalogue that speaks of others' answers.
 *
 * @spec k8s@1.36 registry/generic/rest/response_checker.go; apimachinery api/errors NewGenericServerResponse
 */

/** No connection to the server behind, or one that broke: `why` is all that the client sees. */
export function backendUnreachable(why: string): StatusError {
  return failure(500, "", why);
}

/** Another server's answer that is no success, as the answer of this one. `text`: its body. */
export function backendRefusal(
  code: number,
  resource: ResourceName,
  name: string,
  text: string,
): StatusError {
  if (code === 500) return internalError(text);
  if (code === 400) return badRequest(text);
  const [reason, words] = wordsOf(code, text);
  const details = { name, ...(resource.group && { group: resource.group }), kind: resource.plural };
  // Upstream's verb is empty here, which leaves its blank.
  return failure(code, reason, `${words} ( ${resourceNameOf(resource)} ${name})`, details);
}

function wordsOf(code: number, text: string): readonly [StatusReason, string] {
  switch (code) {
    case 401:
      return ["Unauthorized", "the server has asked for the client to provide credentials"];
    case 403:
      return ["Forbidden", text];
    case 404:
      return ["NotFound", "the server could not find the requested resource"];
    case 405:
      return [
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
      ];
    case 503:
      return ["ServiceUnavailable", "the server is currently unable to handle the request"];
    case 504:
      return [
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
      ];
    default:
      if (code > 500)
        return [
          "InternalError",
          `an error on the server (${quoteGo(text)}) has prevented the request from succeeding`,
        ];
      return [
        "",
        `the server responded with the status code ${code} but did not return more information`,
      ];
  }
}

function failure(
  code: number,
  reason: StatusReason,
  message: string,
  details?: NonNullable<StatusError["status"]["details"]>,
): StatusError {
  const head = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" } as const;
  return new StatusError({ ...head, message, reason, ...(details && { details }), code });
}
