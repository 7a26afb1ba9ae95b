import * as field from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import { validateLabelValue, validateQualifiedName } from "./names.ts";
import { validateLabelName, validateLabels } from "./object-meta-validation.ts";
import { SelectorSyntaxError, parseRequirements } from "./selector-syntax.ts";
import type { Requirement } from "./selector-syntax.ts";
import { badRequest, fieldErrorText, formatFieldErrors } from "./status-errors.ts";

/**
 * Label selectors, in text and as objects, compiled to a predicate.
 *
 * @spec k8s@1.36 apimachinery labels/selector.go; meta/v1 helpers.go LabelSelectorAsSelector
 */
export interface LabelSelector {
  /** Sorted by key; all must hold. */
  readonly requirements: readonly Requirement[];
  /** True when every object matches. */
  readonly isEverything: boolean;
  /** True when no object can match: the selector of an absent LabelSelector. */
  readonly isNothing: boolean;
  /** Upstream's canonical text, as in `status.selector` of scale. */
  readonly text: string;
  matches(labels: Labels | undefined): boolean;
}

export type Labels = Readonly<Record<string, string>>;

/** `spec.selector` of many kinds. @spec meta/v1 LabelSelector */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly LabelSelectorExpression[];
}

export interface LabelSelectorExpression {
  readonly key: string;
  /** In, NotIn, Exists, DoesNotExist; any text before validation. */
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Selects all objects. */
export const EVERYTHING: LabelSelector = selector([]);

/** Selects no object. */
export const NOTHING: LabelSelector = { ...selector([]), ...nothing() };

function nothing(): Pick<LabelSelector, "isEverything" | "isNothing" | "matches"> {
  return { isEverything: false, isNothing: true, matches: () => false };
}

/**
 * Reads a selector in text, as `labelSelector=` of a request carries it.
 *
 * @throws {StatusError} BadRequest with upstream's message.
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === "") return EVERYTHING;
  return selector(refusing(() => parseRequirements(text, { key: checkKey, requirement: check })));
}

function refusing(parse: () => Requirement[]): Requirement[] {
  try {
    return parse();
  } catch (error) {
    throw error instanceof SelectorSyntaxError ? badRequest(error.message) : error;
  }
}

function checkKey(key: string): void {
  const messages = validateQualifiedName(key);
  if (messages.length > 0) throw new SelectorSyntaxError(keyErrorText("<nil>", key, messages));
}

function keyErrorText(path: string, key: string, messages: readonly string[]): string {
  return fieldErrorText(field.invalid(path, key, messages.join("; ")));
}

function check({ key, operator, values }: Requirement): void {
  const errors: FieldError[] = [];
  if (operator === ">" || operator === "<")
    for (const [index, value] of values.entries())
      if (parseInteger(value) === undefined) errors.push(notInteger(index, value));
  for (const [index, value] of values.entries()) {
    const messages = validateLabelValue(value);
    if (messages.length > 0)
      errors.push(field.invalid(`values[${index}][${key}]`, value, messages.join("; ")));
  }
  if (errors.length > 0) throw new SelectorSyntaxError(formatFieldErrors(errors));
}

function notInteger(index: number, value: string): FieldError {
  const why = "for 'Gt', 'Lt' operators, the value must be an integer";
  return field.invalid(`values[${index}]`, value, why);
}

/**
 * Compiles `spec.selector`. Absent selects nothing, empty selects everything.
 *
 * @throws {StatusError} BadRequest for an operator or key that validation would refuse.
 */
export function labelSelectorOf(object: LabelSelectorObject | undefined): LabelSelector {
  if (object === undefined) return NOTHING;
  const expressions = object.matchExpressions ?? [];
  if (expressions.length === 0) return selectorOfLabels(object.matchLabels);
  return selector([...requirementsOfLabels(object.matchLabels), ...expressions.map(requirementOf)]);
}

/** Selects objects with all of `labels`: `spec.selector` of Services. Empty selects everything. */
export function selectorOfLabels(labels: Labels | undefined): LabelSelector {
  const requirements = requirementsOfLabels(labels);
  return requirements.length === 0 ? EVERYTHING : selector(requirements);
}

function requirementsOfLabels(labels: Labels | undefined): Requirement[] {
  return Object.entries(labels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
}

const OPERATORS: ReadonlyMap<string, Requirement["operator"]> = new Map([
  ["In", "in"],
  ["NotIn", "notin"],
  ["Exists", "exists"],
  ["DoesNotExist", "!"],
]);

function requirementOf(expression: LabelSelectorExpression): Requirement {
  const operator = OPERATORS.get(expression.operator);
  if (operator === undefined)
    throw badRequest(`"${expression.operator}" is not a valid label selector operator`);
  const values = [...new Set(expression.values ?? [])].sort();
  return { key: expression.key, operator, values };
}

/** What `kubectl get` shows of a selector: `<none>` when empty. @spec meta/v1 FormatLabelSelector */
export function formatLabelSelector(object: LabelSelectorObject | undefined): string {
  return labelSelectorOf(object).text || "<none>";
}

/** What is wrong with a LabelSelector object. @spec meta/v1/validation ValidateLabelSelector */
export function validateLabelSelector(
  object: LabelSelectorObject | undefined,
  path: string,
): readonly FieldError[] {
  return [
    ...validateLabels(object?.matchLabels, `${path}.matchLabels`),
    ...field.errorsOfEach(object?.matchExpressions ?? [], (expression, index) =>
      expressionErrors(expression, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

function expressionErrors(expression: LabelSelectorExpression, path: string): FieldError[] {
  const { key, operator, values = [] } = expression;
  return [
    ...operatorErrors(operator, values, path),
    ...validateLabelName((key as string | undefined) ?? "", `${path}.key`),
    ...field.errorsOfEach(values, (value, index) =>
      validateLabelValue(value).map((why) => field.invalid(`${path}.values[${index}]`, value, why)),
    ),
  ];
}

function operatorErrors(operator: string, values: readonly string[], path: string): FieldError[] {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0
        ? []
        : [
            field.required(
              `${path}.values`,
              "must be specified when `operator` is 'In' or 'NotIn'",
            ),
          ];
    case "Exists":
    case "DoesNotExist":
      return values.length === 0
        ? []
        : [
            field.forbidden(
              `${path}.values`,
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    default:
      return [field.invalid(`${path}.operator`, operator, "not a valid selector operator")];
  }
}

function selector(unsorted: readonly Requirement[]): LabelSelector {
  const requirements = [...unsorted].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tests = requirements.map(compile);
  return {
    requirements,
    isEverything: tests.length === 0,
    isNothing: false,
    text: requirements.map(formatRequirement).join(","),
    matches: (labels = NO_LABELS) => {
      for (const test of tests) if (!test(labels)) return false;
      return true;
    },
  };
}

const NO_LABELS: Labels = {};

/**
 * The value of a label, `undefined` when absent. No `hasOwn`: what objects inherit are functions, never texts, and
 * `__proto__` is no valid label key.
 */
function valueOf(labels: Labels, key: string): string | undefined {
  const value = labels[key];
  return typeof value === "string" ? value : undefined;
}

function compile({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const first = values[0];
  const set = new Set(values);
  const contains = (value: string): boolean =>
    values.length === 1 ? value === first : set.has(value);
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return (labels) => {
        const value = valueOf(labels, key);
        return value !== undefined && contains(value);
      };
    case "!=":
    case "notin":
      return (labels) => {
        const value = valueOf(labels, key);
        return value === undefined || !contains(value);
      };
    case "exists":
      return (labels) => valueOf(labels, key) !== undefined;
    case "!":
      return (labels) => valueOf(labels, key) === undefined;
    case ">":
    case "<":
      return compare(key, operator, parseInteger(first ?? ""));
  }
}

function compare(
  key: string,
  operator: ">" | "<",
  bound: bigint | undefined,
): (labels: Labels) => boolean {
  return (labels) => {
    const value = parseInteger(valueOf(labels, key) ?? "");
    if (value === undefined || bound === undefined) return false;
    return operator === ">" ? value > bound : value < bound;
  };
}

/** A 64-bit integer as Go's ParseInt(text, 10, 64) reads it. */
function parseInteger(text: string): bigint | undefined {
  if (text.length > 20 || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    default:
      return `${key}${operator}${values[0] ?? ""}`;
  }
}
