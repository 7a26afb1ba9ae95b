import type { FieldError } from "../../api/machinery/field-error.ts";
import {
  type StatusDetails,
  StatusError,
  type StatusReason,
} from "../../api/machinery/status-error.ts";

/** 401. Says nothing more: why a credential does not hold is nobody's business. */
export const unauthorized = (): StatusError => refuse(401, "Unauthorized", "Unauthorized");

export const badRequest = (message: string): StatusError => refuse(400, "BadRequest", message);

export const internalError = (message: string): StatusError =>
  refuse(500, "InternalError", `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });

/** Names the object a refusal is about; `plural` as in paths. */
export interface Refused {
  readonly group: string;
  readonly plural: string;
  readonly name: string;
}

const qualified = ({ group, plural }: Refused): string => (group ? `${plural}.${group}` : plural);

const detailsOf = ({ group, plural, name }: Refused): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(group ? { group } : {}),
  ...(plural ? { kind: plural } : {}),
});

/** @spec k8s@1.36 apimachinery api/errors NewForbidden */
export function forbidden(object: Refused, message: string): StatusError {
  const subject = object.name ? `${qualified(object)} "${object.name}"` : qualified(object);
  const text = object.plural ? `${subject} is forbidden: ${message}` : `forbidden: ${message}`;
  return refuse(403, "Forbidden", text, detailsOf(object));
}

/** @spec k8s@1.36 apimachinery api/errors NewNotFound */
export function notFound(object: Refused): StatusError {
  const message = `${qualified(object)} "${object.name}" not found`;
  return refuse(404, "NotFound", message, detailsOf(object));
}

/** @spec k8s@1.36 apimachinery api/errors NewConflict */
export function conflict(object: Refused, message: string): StatusError {
  const text = `Operation cannot be fulfilled on ${qualified(object)} "${object.name}": ${message}`;
  return refuse(409, "Conflict", text, detailsOf(object));
}

/** 422 about one field. @spec k8s@1.36 apimachinery api/errors NewInvalid */
export function invalidField(
  object: { readonly group: string; readonly kind: string; readonly name: string },
  error: FieldError,
): StatusError {
  const type = object.group ? `${object.kind}.${object.group}` : object.kind;
  const message = `Invalid value: ${JSON.stringify(error.badValue)}: ${error.detail}`;
  const text = `${type} "${object.name}" is invalid: ${error.field}: ${message}`;
  return refuse(422, "Invalid", text, {
    ...object,
    causes: [{ reason: "FieldValueInvalid", message, field: error.field }],
  });
}

function refuse(
  code: number,
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  });
}
