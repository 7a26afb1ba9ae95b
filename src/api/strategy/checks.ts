import { isIp } from "./ip.ts";
import { IS_NEGATIVE } from "../machinery/object-meta-validation.ts";
import {
  duplicate,
  errorsOfEach,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "../machinery/field-error.ts";

/** What every check returns: nothing when all is well. */
export type Errors = readonly FieldError[];

/** Shared by all that found nothing wrong. */
const NONE: Errors = [];

/** Upstream's words, which clients match. @spec apimachinery api/validation, util/validation */
export const NOT_POSITIVE = "must be greater than zero";
export const PORT_RANGE = "must be between 1 and 65535, inclusive";
export const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/** Largest int32, the type of most of the API's numbers. */
export const INT32_MAX = 2 ** 31 - 1;

/** `[error]` when the condition holds. */
export function when(isWrong: boolean, error: FieldError): Errors {
  return isWrong ? [error] : NONE;
}

/** One `Invalid` for each message: how name rules report. */
export function invalids(field: string, value: unknown, messages: readonly string[]): Errors {
  if (messages.length === 0) return NONE;
  return messages.map((message) => invalid(field, value, message));
}

/** Runs a check on every element, with its path `field[0]`, until enough is wrong. */
export function each<E>(
  items: readonly E[] | undefined,
  field: string,
  check: (item: E, field: string, index: number) => Errors,
): Errors {
  if (items === undefined || items === null || items.length === 0) return NONE;
  return errorsOfEach(items, (item, index) => check(item, `${field}[${index}]`, index));
}

/** Runs a check on a value that may be absent. */
export function maybe<V>(value: V | undefined | null, check: (value: V) => Errors): Errors {
  return value === undefined || value === null ? NONE : check(value);
}

/** The text must be there. */
export function requiredText(field: string, value: string | undefined, detail = ""): Errors {
  return value ? NONE : [required(field, detail)];
}

/** The text must be there and obey a rule of names. */
export function requiredName(
  field: string,
  value: string | undefined,
  rule: (value: string) => readonly string[],
): Errors {
  return value ? invalids(field, value, rule(value)) : [required(field)];
}

/** One of a list; absent passes. `supported` is listed in the message as it stands here. */
export function oneOf(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): Errors {
  if (value === undefined || supported.includes(value)) return NONE;
  return [notSupported(field, value, supported)];
}

/** One of a list, and there. */
export function requiredOneOf(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): Errors {
  return value ? oneOf(field, value, supported) : [required(field)];
}

/** Zero or more; absent passes. */
export function nonNegative(field: string, value: number | undefined): Errors {
  return value !== undefined && value < 0 ? [invalid(field, value, IS_NEGATIVE)] : NONE;
}

/** Between two bounds, both allowed; absent passes. */
export function inRange(
  field: string,
  value: number | undefined,
  min: number,
  max: number,
): Errors {
  if (value === undefined || (value >= min && value <= max)) return NONE;
  return [invalid(field, value, `must be between ${min} and ${max}, inclusive`)];
}

/** A port number 1–65535. */
export function portNumber(field: string, value: number): Errors {
  return value >= 1 && value <= 65535 ? NONE : [invalid(field, value, PORT_RANGE)];
}

/** An IPv4 or IPv6 address. */
export function ipAddress(field: string, value: string): Errors {
  return isIp(value) ? NONE : [invalid(field, value, NOT_AN_IP)];
}

/** Every element but the first of its key is a duplicate. */
export function unique<E>(
  items: readonly E[] | undefined,
  field: (index: number) => string,
  key: (item: E) => string | undefined,
): Errors {
  const seen = new Set<string>();
  return errorsOfEach(items ?? [], (item, index) => {
    const text = key(item);
    if (text === undefined || text === "") return [];
    if (seen.has(text)) return [duplicate(field(index), text)];
    seen.add(text);
    return [];
  });
}

/** The fields of an object that are set. */
export function fieldsSet(object: object): string[] {
  return Object.entries(object)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field]) => field);
}
