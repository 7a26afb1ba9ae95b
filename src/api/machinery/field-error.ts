/**
 * One thing wrong with one field. Validation returns all of them; the API server words them as upstream does.
 *
 * @spec k8s@1.36 apimachinery util/validation/field errors.go
 */
export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.containers[0].name`, `metadata.labels[a/b]`. */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

export type FieldErrorType =
  | "Required"
  | "Invalid"
  | "NotSupported"
  | "Duplicate"
  | "Forbidden"
  | "TooLong"
  | "TooMany"
  | "NotFound"
  | "TypeInvalid"
  | "Internal";

/**
 * Errors that validation looks for in one list or map. Nobody reads more; doubling it doubles the answer to a body that is all
 * wrong, of which a client can make many.
 */
export const FIELD_ERRORS_MAX = 100;

const NONE: readonly never[] = [];

/** What `check` finds wrong with each item, until that is enough. */
export function errorsOfEach<T>(
  items: readonly T[],
  check: (item: T, index: number) => readonly FieldError[],
): readonly FieldError[] {
  let found: FieldError[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const errors = check(items[index]!, index);
    if (errors.length === 0) continue;
    found ??= [];
    for (const error of errors) found.push(error);
    if (found.length >= FIELD_ERRORS_MAX) break;
  }
  return found ?? NONE;
}

export const required = (field: string, detail = ""): FieldError => ({
  type: "Required",
  field,
  detail,
});

export const invalid = (field: string, badValue: unknown, detail: string): FieldError => ({
  type: "Invalid",
  field,
  badValue,
  detail,
});

/** `supported`: in the order of upstream's message (sorted). */
export const notSupported = (
  field: string,
  badValue: unknown,
  supported: readonly string[],
): FieldError => ({
  type: "NotSupported",
  field,
  badValue,
  detail: supported.length
    ? `supported values: ${supported.map((value) => JSON.stringify(value)).join(", ")}`
    : "",
});

export const duplicate = (field: string, badValue: unknown): FieldError => ({
  type: "Duplicate",
  field,
  badValue,
  detail: "",
});

export const forbidden = (field: string, detail: string): FieldError => ({
  type: "Forbidden",
  field,
  detail,
});

export const tooLong = (field: string, lengthMax: number): FieldError => ({
  type: "TooLong",
  field,
  badValue: "<value omitted>",
  detail: `may not be more than ${lengthMax} bytes`,
});

export const tooMany = (field: string, actual: number, countMax: number): FieldError => ({
  type: "TooMany",
  field,
  badValue: actual,
  detail: `must have at most ${countMax} items`,
});

export const notFound = (field: string, badValue: unknown): FieldError => ({
  type: "NotFound",
  field,
  badValue,
  detail: "",
});
