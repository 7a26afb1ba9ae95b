import assert from "node:assert/strict";
import { StatusError } from "../../src/api/machinery/status-error.ts";

type ErrorClass = abstract new (...parameters: never[]) => Error;

/** What `work` returns; `undefined`: it refused, by one of `errors`. Any other error is a finding. */
export function valueUnless<T>(errors: readonly ErrorClass[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!errors.some((known) => error instanceof known)) throw error;
    if (error instanceof StatusError) checkStatus(error);
    return undefined;
  }
}

/** A refusal that a client can read: a code of an error, a reason, words. */
export function checkStatus({ status }: StatusError): void {
  assert.ok(status.code >= 400 && status.code < 600, `code ${status.code}`);
  assert.notEqual(status.code, 500, `nobody's mistake: ${status.message}`);
  assert.ok(typeof status.message === "string" && status.message !== "", "no message");
  JSON.stringify(status);
}

/** Equal as JSON; the order of keys does not count, `__proto__` is a key. */
export function assertSameJson(actual: unknown, expected: unknown, what = ""): void {
  const [left, right] = [ordered(actual), ordered(expected)];
  assert.equal(left, right, what);
}

/** JSON with its keys in order. */
function ordered(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  if (Array.isArray(value)) return `[${value.map(ordered).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${ordered(item)}`).join()}}`;
}
