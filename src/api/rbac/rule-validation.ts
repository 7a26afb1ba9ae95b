import type { V1ClusterRole, V1PolicyRule, V1Role } from "../../gen/types.ts";
import { invalid, required } from "../machinery/field-error.ts";
import { validateLabelSelector } from "../machinery/label-selector.ts";
import { each, when, type Errors } from "../strategy/checks.ts";

/** @spec k8s@1.36 pkg/apis/rbac/validation ValidateRole */
export function validateRole({ rules }: V1Role): Errors {
  return each(rules, "rules", (rule, path) => validateRule(rule, true, path));
}

/** @spec ValidateClusterRole */
export function validateClusterRole({ rules, aggregationRule }: V1ClusterRole): Errors {
  const field = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule?.clusterRoleSelectors ?? [];
  const rule = "at least one clusterRoleSelector required if aggregationRule is non-nil";
  return [
    ...each(rules, "rules", (item, path) => validateRule(item, false, path)),
    ...when(aggregationRule !== undefined && selectors.length === 0, required(field, rule)),
    ...each(selectors, field, validateLabelSelector),
  ];
}

function validateRule(rule: V1PolicyRule, isNamespaced: boolean, path: string): Errors {
  const { verbs = [], nonResourceURLs = [], apiGroups = [] } = rule;
  const { resources = [], resourceNames = [] } = rule;
  const verbErrors = when(
    verbs.length === 0,
    required(`${path}.verbs`, "verbs must contain at least one value"),
  );
  if (nonResourceURLs.length === 0)
    return [...verbErrors, ...validateResourceRule(apiGroups, resources, path)];
  const field = `${path}.nonResourceURLs`;
  const hasResources = apiGroups.length + resources.length + resourceNames.length > 0;
  const noUrls = "namespaced rules cannot apply to non-resource URLs";
  const notBoth = "rules cannot apply to both regular resources and non-resource URLs";
  return [
    ...verbErrors,
    ...when(isNamespaced, invalid(field, nonResourceURLs, noUrls)),
    ...when(hasResources, invalid(field, nonResourceURLs, notBoth)),
  ];
}

function validateResourceRule(
  groups: readonly string[],
  resources: readonly string[],
  path: string,
): Errors {
  return [
    ...when(
      groups.length === 0,
      required(`${path}.apiGroups`, "resource rules must supply at least one api group"),
    ),
    ...when(
      resources.length === 0,
      required(`${path}.resources`, "resource rules must supply at least one resource"),
    ),
  ];
}
