import type { V1Node, V1NodeSelectorRequirement, V1NodeSelectorTerm } from "../../gen/types.ts";

/**
 * True when a node fits one of the terms; no term fits nothing. An empty term fits nothing either.
 *
 * @spec k8s@1.36 component-helpers nodeaffinity
 */
export function matchesAnyTerm(terms: readonly V1NodeSelectorTerm[], node: V1Node): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

/** True when all requirements of a term hold. */
export function matchesTerm(term: V1NodeSelectorTerm, node: V1Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels = node.metadata?.labels ?? {};
  return (
    expressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    fields.every((requirement) =>
      holds(requirement, requirement.key === "metadata.name" ? node.metadata?.name : undefined),
    )
  );
}

function holds(
  { operator, values = [] }: V1NodeSelectorRequirement,
  label: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return label !== undefined && values.includes(label);
    case "NotIn":
      return label === undefined || !values.includes(label);
    case "Exists":
      return label !== undefined;
    case "DoesNotExist":
      return label === undefined;
    case "Gt":
      return comparable(label, values) && BigInt(label!) > BigInt(values[0]!);
    case "Lt":
      return comparable(label, values) && BigInt(label!) < BigInt(values[0]!);
    default:
      return false;
  }
}

function comparable(label: string | undefined, values: readonly string[]): boolean {
  const isInteger = (text: string | undefined): boolean =>
    text !== undefined && /^-?\d{1,19}$/.test(text);
  return isInteger(label) && values.length === 1 && isInteger(values[0]);
}
