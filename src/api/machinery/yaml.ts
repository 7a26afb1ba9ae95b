import { isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { CollectionTag, Document, ScalarTag, Tags, YAMLError } from "yaml";
import { quoteGo } from "./go-format.ts";
import { brokenBound, duplicateFields, inexactNumber } from "./json-scan.ts";
import { DEPTH_MAX, tooManyValues, VALUES_MAX } from "./json-bounds.ts";
import { badRequest, requestEntityTooLarge } from "./status-errors.ts";
import type { StatusError } from "./status-error.ts";

/**
 * Bodies and manifests in YAML or JSON as plain values, within bounds.
 *
 * YAML is read as upstream's library does: version 1.1 (`0644` is octal, `on` is true) but without its times and
 * base-60 numbers, so that `22:22` stays text. Numbers are kept exactly or refused, never rounded.
 * @spec k8s@1.36 sigs.k8s.io/yaml, go.yaml.in/yaml/v2 resolve.go; sigs.k8s.io/json
 */
export interface Decoded {
  readonly value: unknown;
  /** Paths of fields that occur twice (the last one counts), for `fieldValidation`: `metadata.name`. */
  readonly duplicateFields: readonly string[];
}

/** The text is not what it says it is; the message is upstream's or close to it. Its author must mend it. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/**
 * Characters of a body in YAML that is not JSON. Reading it takes up to a microsecond for each, a hundred times as long as JSON, and
 * clients that send more than manifests written by hand (kubectl, Helm, every library) send JSON.
 */
const YAML_CHARACTERS_MAX = 256 * 1024;
/** Uses of one anchor times what it holds of others. @spec yaml's maxAliasCount */
const ALIASES_MAX = 100;

const TOO_DEEP = `exceeded max depth of ${DEPTH_MAX}`;
const TOO_MANY_ALIASES = "document contains excessive aliasing";

/**
 * Decodes a JSON body with the engine's own parser.
 *
 * @throws {DecodeError} {StatusError} RequestEntityTooLarge
 */
export function decodeJson(text: string): Decoded {
  if (text.length > SURELY_SMALL) checkBounds(text);
  const value = parseJson(text);
  const inexact = LONG_INTEGER.test(text) ? inexactNumber(text) : undefined;
  if (inexact !== undefined)
    throw new DecodeError(`number ${inexact} cannot be kept exactly: integers go up to 2^53`);
  const seen = { values: 0, fields: 0 };
  measure(value, seen, 0);
  // Every key in the text is a quote and a colon; as many of them as keys came out means that none was lost.
  const isPlain = !SPACED_COLON.test(text) && countKeyMarks(text) === seen.fields;
  return { value, duplicateFields: isPlain ? [] : duplicateFields(text) };
}

/** Characters of a text that the engine parses soon, whatever it holds. */
const SURELY_SMALL = 64 * 1024;

/** @throws {DecodeError} {StatusError} RequestEntityTooLarge */
function checkBounds(text: string): void {
  const broken = brokenBound(text);
  if (broken === "values") throw tooManyValues();
  if (broken === "depth") throw new DecodeError("json: exceeded max depth");
}

const LONG_INTEGER = /[0-9]{16}/;
const SPACED_COLON = /"[ \t\r\n]+:/;

function countKeyMarks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) count++;
  return count;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DecodeError(goJsonError(text, (error as Error).message));
  }
}

/** Go's wording for what the engine says. @spec Go encoding/json scanner.go */
function goJsonError(text: string, message: string): string {
  const token = /^Unexpected token '(.+?)',/su.exec(message)?.[1];
  if (token !== undefined) return invalidCharacter(token, "looking for beginning of value");
  const at = Number(/at position ([0-9]+)/.exec(message)?.[1] ?? text.length);
  const where = GO_JSON_ERRORS.find(([pattern]) => pattern.test(message))?.[1];
  const c = text.codePointAt(at);
  if (where === undefined || c === undefined) return "unexpected end of JSON input";
  return invalidCharacter(String.fromCodePoint(c), where);
}

function invalidCharacter(c: string, where: string): string {
  const shown = c === "'" ? "\\'" : quoteGo(c).slice(1, -1).replace('\\"', '"');
  return `invalid character '${shown}' ${where}`;
}

/** The engine's message → where Go says the character stands. */
const GO_JSON_ERRORS: readonly (readonly [RegExp, string])[] = [
  [/property name or|double-quoted property/, "looking for beginning of object key string"],
  [/after property value/, "after object key:value pair"],
  [/after array element/, "after array element"],
  [/after property name/, "after object key"],
  [/control character/, "in string literal"],
  [/escaped character|Unicode escape/, "in string escape code"],
  [/after JSON/, "after top-level value"],
];

/**
 * Decodes the first document of a YAML text; JSON is YAML too and takes the fast path.
 *
 * @throws {DecodeError} {StatusError} RequestEntityTooLarge
 */
export function decodeYaml(text: string): Decoded {
  if (/^\s*[{[]/.test(text)) {
    try {
      return decodeJson(text);
    } catch (error) {
      // Flow-style YAML begins like JSON: it gets its chance below.
      if (!(error instanceof DecodeError) || text.length > YAML_CHARACTERS_MAX) throw error;
    }
  }
  if (text.length > YAML_CHARACTERS_MAX)
    throw requestEntityTooLarge(
      `limit is ${YAML_CHARACTERS_MAX} characters of YAML; JSON may be longer`,
    );
  return decodeYamlDocuments(text)[0] ?? { value: null, duplicateFields: [] };
}

/**
 * Decodes all documents of a manifest, empty ones left out.
 *
 * @throws {DecodeError}
 */
export function decodeYamlDocuments(text: string): readonly Decoded[] {
  return withinStack(() =>
    parseAllDocuments(text, {
      version: "1.1",
      customTags: upstreamTags,
      intAsBigInt: true,
      // The library compares every key with all before it: see repeatedKeys.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    }),
  )
    .map((document) => decodeDocument(document as Document.Parsed, text))
    .filter(({ value }) => value !== null);
}

/** The tags of YAML 1.1 that upstream's library resolves without being asked to. */
function upstreamTags(tags: Tags): Tags {
  return tags.filter((tag) => !UNRESOLVED.has(tagName(tag)));
}

function tagName(tag: string | CollectionTag | ScalarTag): string {
  if (typeof tag === "string") return tag;
  return "format" in tag && tag.format === "TIME" ? "TIME" : tag.tag;
}

const UNRESOLVED: ReadonlySet<string> = new Set([
  "TIME",
  "tag:yaml.org,2002:timestamp",
  "tag:yaml.org,2002:set",
  "tag:yaml.org,2002:omap",
  "tag:yaml.org,2002:pairs",
]);

function decodeDocument(document: Document.Parsed, text: string): Decoded {
  const [fatal] = document.errors as readonly YAMLError[];
  if (fatal && isStackOverflow(fatal)) throw yamlError(TOO_DEEP);
  if (fatal) throw yamlError(`line ${lineOf(text, fatal.pos[0])}: ${fatal.message}`);
  const value = plain(toValue(document), 0, { values: 0 });
  const repeated = new Set<string>();
  withinStack(() => repeatedKeys(document.contents, repeated));
  return { value, duplicateFields: [...repeated] };
}

/** Repeated fields that are named. */
const REPEATED_MAX = 100;

/** Keys that stand twice in one map. Merge keys may. */
function repeatedKeys(node: unknown, repeated: Set<string>): void {
  if (isSeq(node)) for (const item of node.items) repeatedKeys(item, repeated);
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : "<<";
    if (seen.has(name) && name !== "<<" && repeated.size < REPEATED_MAX) repeated.add(name);
    seen.add(name);
    repeatedKeys(value, repeated);
  }
}

function toValue(document: Document.Parsed): unknown {
  try {
    return withinStack(() => document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown);
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    // The library has no class for what it refuses here: a merge of what is no map, for one.
    if (!(error instanceof ReferenceError)) throw yamlError((error as Error).message);
    const anchor = /^Unresolved alias .*: (.*)$/s.exec(error.message)?.[1];
    throw yamlError(
      anchor === undefined ? TOO_MANY_ALIASES : `unknown anchor '${anchor}' referenced`,
    );
  }
}

/** The YAML library walks by recursion: what nests too deep for it is far over our bound. */
function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && isStackOverflow(error)) throw yamlError(TOO_DEEP);
    throw error;
  }
}

/** The library turns what is thrown inside it into errors of its own. */
function isStackOverflow(error: Error): boolean {
  return error instanceof RangeError || error.message.includes("Maximum call stack size");
}

/** Numbers as numbers, within bounds. */
function plain(value: unknown, depth: number, seen: { values: number }): unknown {
  if (++seen.values > VALUES_MAX) throw tooManyValues();
  if (depth > DEPTH_MAX) throw yamlError(TOO_DEEP);
  if (typeof value === "bigint") return exactNumber(value);
  if (typeof value === "number" && !Number.isFinite(value))
    throw new DecodeError(`json: unsupported value: ${goNumber(value)}`);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1, seen));
  // fromEntries defines properties, so a key called __proto__ stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1, seen)]),
  );
}

/** Beyond it there are no doubles. Writing out the digits of what a client may send takes the square of their number. */
const INTEGER_MAX = 2n ** 1024n;

function exactNumber(value: bigint): number {
  if (value > INTEGER_MAX || value < -INTEGER_MAX)
    throw new DecodeError(
      "a number of over 300 digits cannot be kept exactly: integers go up to 2^53",
    );
  if (String(Number(value)) === String(value)) return Number(value);
  throw new DecodeError(`number ${value} cannot be kept exactly: integers go up to 2^53`);
}

function goNumber(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** Checks the bounds of a JSON value. @throws {DecodeError} {StatusError} RequestEntityTooLarge */
function measure(value: unknown, seen: { values: number; fields: number }, depth: number): void {
  if (++seen.values > VALUES_MAX) throw tooManyValues();
  if (typeof value !== "object" || value === null) return;
  if (depth >= DEPTH_MAX) throw new DecodeError("json: exceeded max depth");
  if (Array.isArray(value)) {
    for (const item of value) measure(item, seen, depth + 1);
    return;
  }
  for (const key in value) {
    seen.fields++;
    measure((value as Record<string, unknown>)[key], seen, depth + 1);
  }
}

function yamlError(why: string): DecodeError {
  return new DecodeError(`error converting YAML to JSON: yaml: ${why}`);
}

function lineOf(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < position; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** Bytes of a refused body that its error shows. @spec endpoints/handlers/rest.go transformDecodeError */
const SHOWN_BYTES = 30;

/**
 * The answer to a body that could not be decoded.
 *
 * @spec k8s@1.36 apiserver endpoints/handlers/rest.go transformDecodeError, summarizeData
 */
export function undecodableBody(kind: string, error: DecodeError, body: Buffer): StatusError {
  const what = `the object provided is unrecognized (must be of type ${kind})`;
  return badRequest(
    `${what}: couldn't get version/kind; json parse error: ${error.message} (${summary(body)})`,
  );
}

function summary(body: Buffer): string {
  if (body.length === 0) return "<empty>";
  const shown = body.subarray(0, SHOWN_BYTES);
  const text = shown.toString(shown[0] === 0x7b ? "utf8" : "hex");
  return body.length > SHOWN_BYTES ? `${text} ...` : text;
}
