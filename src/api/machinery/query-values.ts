import { quoteGo } from "./go-format.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Values of a query string, read as upstream's parameter codec reads them. The first of a repeated one counts.
 *
 * @spec k8s@1.36 apimachinery runtime/conversion.go, conversion/queryparams
 */

/** The text of a parameter; "" when absent. */
export function textOf(query: URLSearchParams, name: string): string {
  return query.get(name) ?? "";
}

/** False when absent, `0` or `false` in any case; all else is true, the empty text too. */
export function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return !(text === "0" || text.toLowerCase() === "false");
}

/**
 * A 64-bit integer; `undefined` when absent. Beyond 2^53 the nearest number: no option needs more.
 *
 * @throws {StatusError} BadRequest in the words of Go's strconv.
 */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const problem = integerProblem(text, 2n ** 63n - 1n);
  if (problem !== undefined)
    throw badRequest(`strconv.ParseInt: parsing ${quoteGo(text)}: ${problem}`);
  return Number(text);
}

/**
 * A resource version: a revision, or `undefined` for the empty text.
 *
 * @throws {StatusError} BadRequest: no whole number.
 * @spec k8s@1.36 apiserver storage/api_object_versioner.go ParseResourceVersion
 */
export function parseResourceVersion(text: string): number | undefined {
  if (text === "") return undefined;
  const problem =
    text.startsWith("-") || text.startsWith("+") ? SYNTAX : integerProblem(text, 2n ** 64n - 1n);
  if (problem === undefined) return Number(text);
  const why = `strconv.ParseUint: parsing ${quoteGo(text)}: ${problem}`;
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${quoteGo(text)}: ${why}`,
  );
}

const SYNTAX = "invalid syntax";

function integerProblem(text: string, max: bigint): string | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return SYNTAX;
  const digits = text.replace(/^[+-]?0*/, "");
  if (digits.length > 20) return "value out of range";
  return BigInt(digits === "" ? 0 : digits) > max ? "value out of range" : undefined;
}
