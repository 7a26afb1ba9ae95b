import { formatGoValue, quoteGo } from "../go-format.ts";
import { isRecord } from "../json-value.ts";
import { atomOfValue, type Atom, type ListAtom, type ScalarAtom } from "./apply-type.ts";
import { itemElement, NoPlace } from "./list-item.ts";
import { formatPathElement, type PathElement } from "./path-element.ts";

interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * What is wrong with an applied configuration, in upstream's words; `undefined`: it fits its type.
 *
 * @spec structured-merge-diff v6 typed/validate.go, helpers.go
 */
export function configProblem(type: Atom, config: unknown): string | undefined {
  const problems: Problem[] = [];
  check(problems, "", type, config);
  const texts = problems.map(({ path, message }) =>
    path === "" ? message : `${path}: ${message}`,
  );
  if (texts.length <= 1) return texts[0];
  return ["errors:", ...texts.map((text) => `  ${text}`)].join("\n");
}

function check(problems: Problem[], path: string, type: Atom, value: unknown): void {
  if (value === null) return;
  const report = (message: string): void => void problems.push({ path, message });
  const atom = type.kind === "free" && !type.isDeduced ? undefined : atomOfValue(type, value);
  if (!atom) return;
  if (atom.kind === "scalar") {
    const message = type.kind === "free" ? undefined : scalarProblem(atom, value);
    if (message) report(message);
  } else if (atom.kind === "list") {
    if (Array.isArray(value)) checkItems(problems, path, atom, value);
    else report(`expected list, got ${goVerb(value)}`);
  } else if (!isRecord(value)) report(`expected map, got ${goVerb(value)}`);
  else
    for (const key of Object.keys(value)) {
      const field = atom.kind === "struct" ? atom.fields.get(key)?.atom : atom.items;
      if (field) check(problems, `${path}.${key}`, field, value[key]);
      else problems.push({ path: `${path}.${key}`, message: "field not declared in schema" });
    }
}

function checkItems(
  problems: Problem[],
  path: string,
  atom: ListAtom,
  list: readonly unknown[],
): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    const element = elementOf(problems, path, atom, index, item);
    if (element === undefined) return;
    const text = formatPathElement(element);
    if (seen.has(element)) problems.push({ path, message: `duplicate entries for key ${text}` });
    seen.add(element);
    check(problems, path + text, atom.items, item);
  }
}

/** @returns `undefined`: reported; without its element nothing in the list can be named. */
function elementOf(
  problems: Problem[],
  path: string,
  atom: ListAtom,
  index: number,
  item: unknown,
): PathElement | undefined {
  if (atom.relation === "atomic") return `i:${index}`;
  try {
    return itemElement(atom, item);
  } catch (error) {
    if (!(error instanceof NoPlace)) throw error;
    problems.push({ path, message: `element ${index}: ${error.message}` });
    return undefined;
  }
}

function scalarProblem({ scalar }: ScalarAtom, value: unknown): string | undefined {
  switch (scalar) {
    case "numeric":
      if (typeof value === "number") return undefined;
      return "expected numeric (int or float), got *value.valueUnstructured";
    case "string":
      if (typeof value === "string") return undefined;
      return `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "boolean":
      if (typeof value === "boolean") return undefined;
      return `expected boolean, got ${goVerb(value)}`;
    default:
      if (typeof value !== "object") return undefined;
      return `expected untyped scalar, got ${goVerb(value)}`;
  }
}

/** `%v` of a wrapped value. */
const goVerb = (value: unknown): string => `&{${formatGoValue(value)}}`;

/** `%#v` of what JSON decodes to. */
function goSyntax(value: unknown): string {
  if (typeof value === "string") return quoteGo(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (!isRecord(value)) return value === null ? "interface {}(nil)" : String(value);
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${quoteGo(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${pairs.join(", ")}}`;
}
