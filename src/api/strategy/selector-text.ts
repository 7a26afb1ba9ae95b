import type { V1LabelSelector, V1LabelSelectorRequirement } from "../../gen/types.ts";

/** A selector in query form, sorted by key; "" selects everything. @spec apimachinery labels Selector.String */
export function formatSelector(selector: V1LabelSelector | undefined): string {
  const parts: [string, string][] = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]): [string, string] => [
      key,
      `${key}=${value}`,
    ]),
    ...(selector?.matchExpressions ?? []).map((requirement): [string, string] => [
      requirement.key,
      formatRequirement(requirement),
    ]),
  ];
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(",");
}

function formatRequirement({ key, operator, values = [] }: V1LabelSelectorRequirement): string {
  const list = `(${[...values].sort().join(",")})`;
  switch (operator) {
    case "In":
      return `${key} in ${list}`;
    case "NotIn":
      return `${key} notin ${list}`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}
