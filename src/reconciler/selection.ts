import type { LabelMatch } from "./ownership.ts";

/** The part of every `LabelSelector` that matching needs. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Requirement[];
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/**
 * The matcher of a workload's selector. An absent or empty one matches nothing: a workload that lost its selector must
 * not take every Pod of its namespace.
 *
 * @spec k8s@1.36 apimachinery meta/v1 LabelSelectorAsSelector; controllers treat an empty selector as matching nothing
 */
export function matcherOf(selector: Selector | undefined): LabelMatch {
  if (!selector) return () => false;
  const known = matchers.get(selector);
  if (known) return known;
  const matcher = compile(selector);
  matchers.set(selector, matcher);
  return matcher;
}

/** By selector object: versions out of a cache never change. */
const matchers = new WeakMap<object, LabelMatch>();

function compile(selector: Selector): LabelMatch {
  const labels = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (labels.length === 0 && expressions.length === 0) return () => false;
  return (given = {}) =>
    labels.every(([key, value]) => Object.hasOwn(given, key) && given[key] === value) &&
    expressions.every((requirement) => meets(requirement, given));
}

/** The matcher of a Service's selector: equality of each pair. Absent or empty: nothing. */
export function mapMatcherOf(selector: Readonly<Record<string, string>> | undefined): LabelMatch {
  if (!selector) return () => false;
  const known = matchers.get(selector);
  if (known) return known;
  const matcher = compile({ matchLabels: selector });
  matchers.set(selector, matcher);
  return matcher;
}

function meets(
  { key, operator, values = [] }: Requirement,
  labels: Readonly<Record<string, string>>,
) {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false; // Validation admits no other; a stranger selects nothing.
  }
}
