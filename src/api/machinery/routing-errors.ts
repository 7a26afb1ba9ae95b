import { StatusError } from "./status-error.ts";

/**
 * Refusals of requests that reach no resource: the part of the catalogue that names none.
 *
 * @spec k8s@1.36 apimachinery api/errors NewGenericServerResponse
 */

/** No such path, group, version or resource. */
export function unknownPath(): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server could not find the requested resource",
    reason: "NotFound",
    details: {},
    code: 404,
  });
}

/** The path exists, but not with this method. */
export function methodNotAllowed(): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server does not allow this method on the requested resource",
    reason: "MethodNotAllowed",
    details: {},
    code: 405,
  });
}
