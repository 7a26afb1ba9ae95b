import type { KubeObject } from "./object.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Field selectors: `status.phase=Running,metadata.name!=a`, with `\` before a comma, `=` or `\` in a value.
 *
 * @spec k8s@1.36 apimachinery fields/selector.go
 */
export interface FieldSelector {
  /** All must hold; in the order of the sorted text. */
  readonly terms: readonly FieldTerm[];
  readonly isEverything: boolean;
  readonly text: string;
  /** The value that `name` must have, where the selector says just that: lets a list become a get. */
  exactValue(name: string): string | undefined;
}

export interface FieldTerm {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

/** What a resource can be selected by beyond name and namespace, as `Resource.selectableFields`. */
export interface Selectable<T extends KubeObject> {
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
}

/**
 * Reads `fieldSelector=` of a request.
 *
 * @throws {StatusError} BadRequest with upstream's message.
 */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = splitTerms(text)
    .sort()
    .filter((term) => term !== "")
    .map((term) => parseTerm(text, term));
  return fieldSelector(terms);
}

/** The selector of one object by name: what a watch of a single object uses. */
export function fieldEquals(field: string, value: string): FieldSelector {
  return fieldSelector([{ field, isEqual: true, value }]);
}

/**
 * The predicate of a selector on objects of one resource.
 *
 * @throws {StatusError} BadRequest: the resource has no such field.
 */
export function compileFieldSelector<T extends KubeObject>(
  selector: FieldSelector,
  resource: Selectable<T>,
): (object: T) => boolean {
  const tests = selector.terms.map(({ field, isEqual, value }) => {
    const read = readerOf(resource, field);
    return (object: T): boolean => (read(object) === value) === isEqual;
  });
  return (object) => {
    for (const test of tests) if (!test(object)) return false;
    return true;
  };
}

/** Puts a `\` before what would end or split the value. @spec fields.EscapeValue */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}

function readerOf<T extends KubeObject>(
  resource: Selectable<T>,
  field: string,
): (object: T) => string {
  if (field === "metadata.name") return (object) => object.metadata?.name ?? "";
  if (field === "metadata.namespace") return (object) => object.metadata?.namespace ?? "";
  const fields = resource.selectableFields;
  if (fields !== undefined && Object.hasOwn(fields, field)) return fields[field]!;
  // Kinds without fields of their own answer in other words. @spec runtime.DefaultMetaV1FieldSelectorConversion
  throw badRequest(
    fields === undefined
      ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${field}`,
  );
}

function fieldSelector(terms: readonly FieldTerm[]): FieldSelector {
  return {
    terms,
    isEverything: terms.length === 0,
    text: terms.map(formatTerm).join(","),
    exactValue: (name) => terms.find((term) => term.isEqual && term.field === name)?.value,
  };
}

function formatTerm({ field, isEqual, value }: FieldTerm): string {
  return `${field}${isEqual ? "=" : "!="}${escapeFieldValue(value)}`;
}

/** At commas that no `\` precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** The first operator splits; fields themselves have no escapes. */
function parseTerm(text: string, term: string): FieldTerm {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
  const [, field, operator, value] = match;
  return { field: field!, isEqual: operator !== "!=", value: unescapeFieldValue(value!) };
}

function unescapeFieldValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const c = value[i]!;
    if (c === "," || c === "=")
      throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`);
    if (c !== "\\") out += c;
    else out += escaped(value[++i]);
  }
  return out;
}

function escaped(c: string | undefined): string {
  if (c === "\\" || c === "," || c === "=") return c;
  throw badRequest(`invalid field selector: invalid escape sequence: \\${c ?? ""}`);
}
