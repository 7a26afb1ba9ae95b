import { FIELD_ERRORS_MAX, type FieldError, type FieldErrorType } from "./field-error.ts";
import { formatGoJson, quoteGo } from "./go-format.ts";
import { resourceNameOf } from "./kind.ts";
import type { Kind } from "./kind.ts";
import { StatusError } from "./status-error.ts";
import type {
  InvalidObject,
  Status,
  StatusCause,
  StatusDetails,
  StatusReason,
} from "./status-error.ts";

/**
 * The catalogue: every error that the API answers with is made here, so every wording has one place.
 *
 * Clients parse messages and reasons (kubectl, client-go, Helm), so they are upstream's to the letter.
 * @spec k8s@1.36 apimachinery api/errors/errors.go; apiserver storage/errors.go, etcd3/errors.go,
 *   endpoints/handlers/negotiation/errors.go
 */

/** Names a resource in messages: a `Kind` is one. */
export type ResourceName = Pick<Kind, "group" | "plural">;

/** `pods "web" not found` */
export function notFound(resource: ResourceName, name: string): StatusError {
  return named(404, "NotFound", resource, name, `${subject(resource, name)} not found`);
}

/** `pods "web" already exists` */
export function alreadyExists(resource: ResourceName, name: string): StatusError {
  return named(409, "AlreadyExists", resource, name, `${subject(resource, name)} already exists`);
}

/** No free name was found for `generateName`; the client shall ask again. */
export function generateNameConflict(
  resource: ResourceName,
  name: string,
  retryAfterSeconds = 1,
): StatusError {
  const why = "already exists, the server was not able to generate a unique name for the object";
  return failure(409, "AlreadyExists", `${subject(resource, name)} ${why}`, {
    ...detailsOf(resource, name),
    retryAfterSeconds,
  });
}

/** `Operation cannot be fulfilled on pods "web": …` */
export function conflict(resource: ResourceName, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${subject(resource, name)}: ${why}`;
  return named(409, "Conflict", resource, name, message);
}

/** What optimistic locking says. @spec apiserver registry/generic/registry/store.go OptimisticLockErrorMsg */
export const OBJECT_MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

/** Somebody else wrote the object since the client read it. */
export function objectModified(resource: ResourceName, name: string): StatusError {
  return conflict(resource, name, OBJECT_MODIFIED);
}

/** Server-side apply would take over fields of other managers; one cause per field. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return failure(409, "Conflict", message, { causes });
}

/** `Pod "web" is invalid: [spec.a: Required value, spec.b: Required value]`, with one cause per error. */
export function invalid(object: InvalidObject): StatusError {
  const { group, kind, name, errors } = object;
  const what = `${group === "" ? kind : `${kind}.${group}`} ${quoteGo(shortened(name))} is invalid`;
  const bodyOf = bodyWriter();
  const shown = errors.slice(0, FIELD_ERRORS_MAX).map((error) => ({
    type: error.type,
    field: shortened(error.field),
    body: bodyOf(error),
  }));
  const texts = shown.map(({ field, body }) => `${field}: ${body}`);
  const message = errors.length === 0 ? what : `${what}: ${aggregated(texts)}`;
  return failure(422, "Invalid", message, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    causes: shown.map(({ type, field, body }) => ({
      reason: CAUSE_TYPES[type],
      message: body,
      field,
    })),
  });
}

/** `pods "web" is forbidden: …`; without a name `pods is forbidden: …`, without a resource `forbidden: …`. */
export function forbidden(
  resource: ResourceName | undefined,
  name: string,
  why: string,
): StatusError {
  if (resource === undefined || resource.plural === "")
    return failure(403, "Forbidden", `forbidden: ${why}`, {});
  const what = name === "" ? resourceNameOf(resource) : subject(resource, name);
  return named(403, "Forbidden", resource, name, `${what} is forbidden: ${why}`);
}

/** The request itself makes no sense; `message` is all that the client sees. */
export function badRequest(message: string): StatusError {
  return failure(400, "BadRequest", message);
}

/** Nobody is known by these credentials. */
export function unauthorized(message = "Unauthorized"): StatusError {
  return failure(401, "Unauthorized", message);
}

/** `update is not supported on resources of kind "componentstatuses"` */
export function methodNotSupported(resource: ResourceName, action: string): StatusError {
  const kind = quoteGo(resourceNameOf(resource));
  const message = `${action} is not supported on resources of kind ${kind}`;
  return failure(405, "MethodNotAllowed", message, detailsOf(resource, ""));
}

/** None of the media types that the client accepts can be made. */
export function notAcceptable(accepted: readonly string[]): StatusError {
  const list = accepted.join(", ");
  return failure(406, "NotAcceptable", `only the following media types are accepted: ${list}`);
}

/** The body's Content-Type is none that the server reads. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const why = "the body of the request was in an unknown format - accepted media types include";
  return failure(415, "UnsupportedMediaType", `${why}: ${accepted.join(", ")}`);
}

/** 429; `retryAfterSeconds` also becomes the Retry-After header. */
export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure(429, "TooManyRequests", message, { retryAfterSeconds });
}

/** 429: a budget does not let the Pod be evicted now; `cause` says why. @spec pkg/registry/core/pod/storage/eviction.go */
export function disruptionRefused(cause: string, retryAfterSeconds = 0): StatusError {
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  return failure(429, "TooManyRequests", message, {
    causes: [{ reason: "DisruptionBudget", message: cause }],
    ...retry(retryAfterSeconds),
  });
}

/** Two budgets are about one Pod: neither can be asked alone. */
export function severalBudgets(): StatusError {
  const why =
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
  const { reason: none, ...status } = failure(500, "", why).status;
  return new StatusError({ ...status } as typeof status & { readonly reason: typeof none });
}

/** 410: what was asked for existed once; a client starts over with a fresh list. */
export function expired(message: string): StatusError {
  return failure(410, "Expired", message);
}

/** A watch from a revision that the cache no longer holds. @spec apiserver storage/cacher/watch_cache.go */
export function tooOldResourceVersion(requested: number, oldest: number): StatusError {
  return expired(`too old resource version: ${requested} (${oldest})`);
}

/** A list at an exact revision that was compacted. @spec apiserver storage/etcd3/errors.go */
export function resourceVersionCompacted(): StatusError {
  return expired("The resourceVersion for the provided list is too old.");
}

/** A continue token whose revision was compacted, and no way to go on. */
export function continueExpired(): StatusError {
  return expired(
    "The provided continue parameter is too old to display a consistent list result. " +
      "You can start a new list without the continue parameter.",
  );
}

/** A continue token whose revision was compacted; `continueToken` goes on at the newest revision. */
export function inconsistentContinue(continueToken: string): StatusError {
  return new StatusError({
    ...expired(INCONSISTENT_CONTINUE).status,
    metadata: { continue: continueToken },
  });
}

const INCONSISTENT_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. " +
  "You can start a new list without the continue parameter, or use the continue token in this " +
  "response to retrieve the remainder of the results. Continuing with the provided token results " +
  "in an inconsistent list - objects that were created, modified, or deleted between the time the " +
  "first chunk was returned and now may show up in the list.";

/** A read asks for a revision that does not exist yet. Clients look for the cause, not the text. */
export function tooLargeResourceVersion(
  requested: number | string,
  current: number,
  retryAfterSeconds = 1,
): StatusError {
  const message = `Timeout: Too large resource version: ${requested}, current: ${current}`;
  return failure(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds,
  });
}

/** 410 without a way back; lists and watches use `expired`. */
export function gone(message: string): StatusError {
  return failure(410, "Gone", message);
}

/** The request took too long; it may still take effect. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure(504, "Timeout", `Timeout: ${message}`, retry(retryAfterSeconds));
}

/** A passing trouble inside; the client shall try again. */
export function serverTimeout(
  resource: ResourceName,
  operation: string,
  retryAfterSeconds = 0,
): StatusError {
  const name = resourceNameOf(resource);
  const message = `The ${operation} operation against ${name} could not be completed at this time, please try again.`;
  return failure(500, "ServerTimeout", message, {
    ...detailsOf(resource, operation),
    ...retry(retryAfterSeconds),
  });
}

/** A mistake of the server's own. */
export function internalError(message: string): StatusError {
  return failure(500, "InternalError", `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}

/** Not now: starting, stopping, or an aggregated server is away. */
export function serviceUnavailable(message: string): StatusError {
  return failure(503, "ServiceUnavailable", message);
}

/** There is no room for what is to be written; it is all as before. The reason is upstream's, where etcd has no space. */
export function insufficientStorage(message: string): StatusError {
  return failure(507, "InternalError", message);
}

/** Body, patch or header over its bound. */
export function requestEntityTooLarge(message: string): StatusError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);
}

/**
 * A patch that cannot be applied to the object as it is.
 *
 * Upstream's message says nothing of the reason; it stands in a cause, which kubectl prints.
 * @spec apiserver endpoints/handlers/patch.go (NewGenericServerResponse with 422)
 */
export function patchRejected(why: string): StatusError {
  const message = "the server rejected our request due to an error in our request";
  return failure(422, "Invalid", message, { causes: [{ message: why }] });
}

/** What a delete answers when no object is returned: a `Status` that carries neither reason nor code. */
export type SuccessStatus = Omit<Status, "reason" | "code">;

/** The answer to a delete that took effect at once. @spec registry/generic/registry/store.go finalizeDelete */
export function deletedStatus(resource: ResourceName, name: string, uid = ""): SuccessStatus {
  const details = { ...detailsOf(resource, name), ...(uid === "" ? {} : { uid }) };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${fieldErrorBody(error)}`;
}

/** One error as it is; several as `[a, b]`, repeated texts once. @spec util/errors Aggregate.Error */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  return aggregated(errors.map(fieldErrorText));
}

function aggregated(all: readonly string[]): string {
  const texts = [...new Set(all)];
  return texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}

/** {@link fieldErrorText} without the field, as causes carry it. @spec util/validation/field Error.ErrorBody */
export function fieldErrorBody(error: FieldError): string {
  return bodyWriter()(error);
}

/** {@link fieldErrorBody} for errors of one object: several of them may show the same large value. */
function bodyWriter(): (error: FieldError) => string {
  let [last, text]: [object | undefined, string] = [undefined, ""];
  const show = (value: unknown): string => {
    if (typeof value !== "object" || value === null) return formatScalar(value);
    if (value !== last) [last, text] = [value, shortened(formatGoJson(value))];
    return text;
  };
  return ({ type, badValue, detail }) => {
    const head = VALUELESS.has(type) ? TITLES[type] : `${TITLES[type]}: ${show(badValue)}`;
    return detail === "" ? head : `${head}: ${shortened(detail)}`;
  };
}

const TITLES: Readonly<Record<FieldErrorType, string>> = {
  Required: "Required value",
  Invalid: "Invalid value",
  NotSupported: "Unsupported value",
  Duplicate: "Duplicate value",
  Forbidden: "Forbidden",
  TooLong: "Too long",
  TooMany: "Too many",
  NotFound: "Not found",
  TypeInvalid: "Invalid value",
  Internal: "Internal error",
};

const CAUSE_TYPES: Readonly<Record<FieldErrorType, string>> = {
  Required: "FieldValueRequired",
  Invalid: "FieldValueInvalid",
  NotSupported: "FieldValueNotSupported",
  Duplicate: "FieldValueDuplicate",
  Forbidden: "FieldValueForbidden",
  TooLong: "FieldValueTooLong",
  TooMany: "FieldValueTooMany",
  NotFound: "FieldValueNotFound",
  TypeInvalid: "FieldValueTypeInvalid",
  Internal: "InternalError",
};

/** These never show the value: it is absent, secret or too long. */
const VALUELESS: ReadonlySet<FieldErrorType> = new Set([
  "Required",
  "Forbidden",
  "TooLong",
  "Internal",
]);

/**
 * Characters of a value that an error shows. Upstream shows all of it: hundreds of errors about one large value would be an
 * answer of hundreds of times its size.
 */
const SHOWN_CHARACTERS_MAX = 4096;

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
}

function formatScalar(value: unknown): string {
  if (value === undefined || value === null) return '"null"';
  return typeof value === "string" ? quoteGo(shortened(value)) : String(value);
}

function subject(resource: ResourceName, name: string): string {
  return `${resourceNameOf(resource)} ${quoteGo(name)}`;
}

function detailsOf(resource: ResourceName, name: string): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

/** Zero means unset on the wire. */
function retry(seconds: number): StatusDetails {
  return seconds === 0 ? {} : { retryAfterSeconds: seconds };
}

function named(
  code: number,
  reason: StatusReason,
  resource: ResourceName,
  name: string,
  message: string,
): StatusError {
  return failure(code, reason, message, detailsOf(resource, name));
}

function failure(
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
    ...(details === undefined ? {} : { details }),
    code,
  });
}
