import type { StatusError } from "./status-error.ts";
import { requestEntityTooLarge } from "./status-errors.ts";

/** Objects within objects. Real ones have 15; recursive readers take about 10,000. */
export const DEPTH_MAX = 100;

/**
 * Values in one document, aliases counted each time they are used. Every value costs some steps of every stage, so this bounds how
 * long one request can hold up all others: some 100 ms. A slice of a thousand endpoints, the largest that controllers write, holds
 * 14,000; at etcd's limit of 1.5 MB this many leave 30 bytes for each.
 */
export const VALUES_MAX = 50_000;

/** Characters of a field's path that a message shows: a hundred fields may lie below a key of a megabyte. */
const PATH_CHARACTERS_MAX = 4096;

/** The refusal of a document that holds more than {@link VALUES_MAX}. */
export function tooManyValues(): StatusError {
  return requestEntityTooLarge(`limit is ${VALUES_MAX} values`);
}

/** `path` as a message shows it. */
export function shownPath(path: string): string {
  return path.length > PATH_CHARACTERS_MAX ? `${path.slice(0, PATH_CHARACTERS_MAX)}...` : path;
}
