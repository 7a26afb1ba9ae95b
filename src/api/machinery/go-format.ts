/**
 * Text as Go's `fmt` and `encoding/json` write it: messages that clients parse are full of `%q`.
 *
 * @spec Go strconv.Quote, encoding/json (HTML escapes), fmt %#U and %v
 */

/** `%q`: double quotes, Go's escapes, unprintable runes as \x, \u or \U. */
export function quoteGo(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const rune of text) out += ESCAPES[rune] ?? (isPrintable(rune) ? rune : escapeRune(rune));
  return `${out}"`;
}

/** JSON as Go's encoder writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function formatGoJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.replace(HTML_UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** `%#U`: `U+0009`, or `U+0041 'A'` when printable. */
export function formatRune(rune: string): string {
  const hex = rune.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return isPrintable(rune) ? `U+${hex} '${rune}'` : `U+${hex}`;
}

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(rune: string): boolean {
  return PRINTABLE.test(rune);
}

/** `%v` of a decoded JSON value: `map[a:1 b:[x y]]`, keys sorted. */
export function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `map[${entries.map(([key, item]) => `${key}:${formatGoValue(item)}`).join(" ")}]`;
}

const PLAIN = /^[ !#-[\]-~]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const HTML_UNSAFE = /[<>&\u2028\u2029]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function escapeRune(rune: string): string {
  const code = rune.codePointAt(0)!;
  // A lone surrogate is no rune: Go has U+FFFD in its place.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
