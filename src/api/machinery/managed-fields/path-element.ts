import { quoteGo } from "../go-format.ts";

/**
 * One step of a path in a set of fields, as FieldsV1 writes it: `f:NAME` a field or map key, `k:{"name":"a"}` the item of a list
 * with these keys, `v:"a"` this item of a set, `i:0` the item at this index.
 *
 * Why texts and not objects: a FieldsV1 document then *is* the set, and nothing has to be decoded.
 * @spec structured-merge-diff v6 fieldpath/serialize-pe.go
 */
export type PathElement = string;

export const fieldElement = (name: string): PathElement => `f:${name}`;

/** `pairs`: sorted by name. */
export function keyElement(pairs: readonly (readonly [string, unknown])[]): PathElement {
  let text = "";
  for (const [name, value] of pairs)
    text += `${text === "" ? "" : ","}${goJson(name)}:${goJson(value)}`;
  return `k:{${text}}`;
}

export const valueElement = (value: unknown): PathElement => `v:${goJson(value)}`;

const HTML = /[<>&\u2028\u2029]/g;
/** Texts that stand in JSON as they are: nearly all keys of lists. */
const PLAIN = /^[\w ./:-]*$/;

/** JSON as Go writes it: no bare angle bracket, ampersand or line separator. */
export function goJson(value: unknown): string {
  if (typeof value === "string" && PLAIN.test(value)) return `"${value}"`;
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value);
  return text.replace(HTML, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** True for the four forms; others come from a future version and are left out, as upstream does. */
export function isKnownElement(element: string): boolean {
  return element[1] === ":" && "fkvi".includes(element[0]!);
}

/** True when the part behind the colon can be read. */
export function isReadableElement(element: PathElement): boolean {
  if (element[0] === "f") return true;
  if (element[0] === "i") return /^\d{1,9}$/.test(element.slice(2));
  try {
    const value = contentOf(element);
    if (isDeeper(value, CONTENT_DEPTH_MAX)) return false;
    return element[0] === "v" || (typeof value === "object" && value !== null);
  } catch {
    return false;
  }
}

/** How deep an item of a set may nest; real ones are texts. What compares items recurses over them. */
const CONTENT_DEPTH_MAX = 32;

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}

const contentOf = (element: PathElement): unknown => JSON.parse(element.slice(2)) as unknown;

const KINDS = "fkvi";

/** An element with what it holds, read once. */
interface Read {
  readonly element: PathElement;
  readonly kind: number;
  readonly content: unknown;
}

function read(element: PathElement): Read {
  const kind = KINDS.indexOf(element[0]!);
  if (kind === 0) return { element, kind, content: element };
  return { element, kind, content: kind === 3 ? Number(element.slice(2)) : contentOf(element) };
}

function compareRead(a: Read, b: Read): number {
  if (a.element === b.element) return 0;
  if (a.kind !== b.kind) return a.kind - b.kind;
  if (a.kind === 1) return compareKeys(a.content as Keys, b.content as Keys);
  return compareValues(a.content, b.content);
}

/** The order of elements in FieldsV1: fields, keys, values, indices; each by what it holds. @spec fieldpath/element.go Compare */
export function comparePathElements(a: PathElement, b: PathElement): number {
  return compareRead(read(a), read(b));
}

/** The elements in their order. Each is read once, however many there are: clients decide how many. */
export function inElementOrder(elements: readonly PathElement[]): readonly PathElement[] {
  if (elements.length < 2) return elements;
  return elements
    .map(read)
    .sort(compareRead)
    .map(({ element }) => element);
}

type Keys = Readonly<Record<string, unknown>>;

function compareKeys(a: Keys, b: Keys): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (let index = 0; index < left.length && index < right.length; index++) {
    const [[name, value], [otherName, otherValue]] = [left[index]!, right[index]!];
    if (name !== otherName) return name < otherName ? -1 : 1;
    const order = compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numbers before texts before booleans before the rest. @spec structured-merge-diff value/value.go Compare */
function compareValues(a: unknown, b: unknown): number {
  const [rank, otherRank] = [rankOf(a), rankOf(b)];
  if (rank !== otherRank) return rank - otherRank;
  if (rank === 3) return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return a === b ? 0 : (a as number) < (b as number) ? -1 : 1;
}

function rankOf(value: unknown): number {
  if (typeof value === "number") return 0;
  if (typeof value === "string") return 1;
  return typeof value === "boolean" ? 2 : 3;
}

/** `.name`, `[name="a",port=80]`, `[="a"]`, `[0]`. @spec fieldpath/element.go String */
export function formatPathElement(element: PathElement): string {
  switch (element[0]) {
    case "f":
      return `.${element.slice(2)}`;
    case "i":
      return `[${element.slice(2)}]`;
    case "v":
      return `[=${formatValue(contentOf(element))}]`;
    default: {
      const keys = Object.entries(contentOf(element) as Keys);
      return `[${keys.map(([name, value]) => `${name}=${formatValue(value)}`).join(",")}]`;
    }
  }
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? quoteGo(value) : JSON.stringify(value);
}

/** `.spec.containers[name="a"].image` */
export function formatPath(path: readonly PathElement[]): string {
  return path.map(formatPathElement).join("");
}
