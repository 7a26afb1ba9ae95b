import type { Kind } from "../../api/machinery/kind.ts";
import {
  type InvalidObject,
  type StatusDetails,
  StatusError,
  type StatusReason,
} from "../../api/machinery/status-error.ts";

type ResourceName = Pick<Kind, "group" | "plural">;

/** 401. Says nothing more: why a credential does not hold is nobody's business. */
export const unauthorized = (): StatusError => refuse(401, "Unauthorized", "Unauthorized");

export const badRequest = (message: string): StatusError => refuse(400, "BadRequest", message);

export const internalError = (message: string): StatusError =>
  refuse(500, "InternalError", `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });

const qualified = ({ group, plural }: ResourceName): string =>
  group ? `${plural}.${group}` : plural;

const detailsOf = ({ group, plural }: ResourceName, name: string): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(group ? { group } : {}),
  kind: plural,
});

/** @spec k8s@1.36 apimachinery api/errors NewForbidden */
export function forbidden(
  resource: ResourceName | undefined,
  name: string,
  why: string,
): StatusError {
  if (!resource?.plural) return refuse(403, "Forbidden", `forbidden: ${why}`, {});
  const subject = name ? `${qualified(resource)} "${name}"` : qualified(resource);
  return refuse(403, "Forbidden", `${subject} is forbidden: ${why}`, detailsOf(resource, name));
}

/** @spec k8s@1.36 apimachinery api/errors NewNotFound */
export function notFound(resource: ResourceName, name: string): StatusError {
  const message = `${qualified(resource)} "${name}" not found`;
  return refuse(404, "NotFound", message, detailsOf(resource, name));
}

/** @spec k8s@1.36 apimachinery api/errors NewConflict */
export function conflict(resource: ResourceName, name: string, why: string): StatusError {
  const text = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return refuse(409, "Conflict", text, detailsOf(resource, name));
}

/** 422 about one field. @spec k8s@1.36 apimachinery api/errors NewInvalid */
export function invalid({ group, kind, name, errors }: InvalidObject): StatusError {
  const type = group ? `${kind}.${group}` : kind;
  const causes = errors.map(({ field, badValue, detail }) => ({
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(badValue ?? "null")}: ${detail}`,
    field,
  }));
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
  const details = { ...(name ? { name } : {}), group, kind, causes };
  return refuse(422, "Invalid", `${type} "${name}" is invalid: ${list}`, details);
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
