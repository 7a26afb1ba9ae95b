import type { FieldError } from "./field-error.ts";

/**
 * An operating error of the API, on both sides of the wire: the server throws it, HTTP carries it as `Status`, the
 * client throws it again.
 *
 * The catalogue of constructors is `status-errors.ts`; nothing else makes one, so every wording has one place.
 * @spec k8s@1.36 apimachinery meta/v1 Status; api/errors
 */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason);
    this.status = status;
  }

  get reason(): StatusReason {
    return this.status.reason;
  }

  get code(): number {
    return this.status.code;
  }
}

/** The wire form. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly status: "Failure" | "Success";
  readonly message?: string;
  readonly reason: StatusReason;
  readonly details?: StatusDetails;
  readonly code: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export type StatusReason =
  | ""
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Gone"
  | "Invalid"
  | "ServerTimeout"
  | "Timeout"
  | "TooManyRequests"
  | "BadRequest"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "RequestEntityTooLarge"
  | "UnsupportedMediaType"
  | "InternalError"
  | "Expired"
  | "ServiceUnavailable"
  | "StoreReadError";

/** True for any `StatusError`, or for one of the given reason. */
export function isStatusError(error: unknown, reason?: StatusReason): error is StatusError {
  return error instanceof StatusError && (reason === undefined || error.reason === reason);
}

/** What `invalid()` of the catalogue needs: the kind's name and group, the object's name, and what is wrong. */
export interface InvalidObject {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly errors: readonly FieldError[];
}
