import type { V1PolicyRule } from "../../gen/types.ts";
import { hasOrAll, resourceCovers, urlCovers } from "./rule-matching.ts";

/**
 * Combinations of verb, resource, group and name that rules may stand for when it is checked who may grant them. The largest role
 * that people have stands for some thousand; the product of a few hundred of each would fill the memory.
 */
export const RULE_PARTS_MAX = 20_000;

/** How many combinations the rules stand for. */
export function countRuleParts(rules: readonly V1PolicyRule[]): number {
  let count = 0;
  for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
    const names = Math.max(resourceNames?.length ?? 0, 1);
    const perVerb = (apiGroups?.length ?? 0) * (resources?.length ?? 0) * names;
    count += (verbs?.length ?? 0) * (perVerb + (nonResourceURLs?.length ?? 0));
  }
  return count;
}

/**
 * Which parts of `wanted` no rule of `held` covers, one verb on one resource each.
 *
 * @bounds `wanted` stands for at most {@link RULE_PARTS_MAX} combinations.
 * @spec k8s@1.36 component-helpers auth/rbac/validation policy_comparator.go Covers
 */
export function missingRules(
  held: readonly V1PolicyRule[],
  wanted: readonly V1PolicyRule[],
): readonly V1PolicyRule[] {
  const parts = wanted.flatMap(breakDown);
  return parts.filter((part) => !held.some((rule) => ruleCovers(rule, part)));
}

/** `rule` as rules of one verb on one resource (and name) or path each. */
function breakDown(rule: V1PolicyRule): readonly V1PolicyRule[] {
  const names: readonly (readonly string[])[] = rule.resourceNames?.length
    ? rule.resourceNames.map((name) => [name])
    : [[]];
  const resources = (rule.apiGroups ?? []).flatMap((group) =>
    (rule.resources ?? []).flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        names.map((resourceNames) => ({
          apiGroups: [group],
          resources: [resource],
          verbs: [verb],
          ...(resourceNames.length > 0 ? { resourceNames } : {}),
        })),
      ),
    ),
  );
  const paths = (rule.nonResourceURLs ?? []).flatMap((url) =>
    rule.verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] })),
  );
  return [...resources, ...paths];
}

/** True when all of the one-verb rule `part` is in `rule`. */
function ruleCovers(rule: V1PolicyRule, part: V1PolicyRule): boolean {
  if (!part.verbs.every((verb) => hasOrAll(rule.verbs, verb))) return false;
  const paths = part.nonResourceURLs ?? [];
  if (paths.length > 0)
    return paths.every((path) => (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, path)));
  const names = rule.resourceNames ?? [];
  const wanted = part.resourceNames ?? [];
  const areNamesCovered =
    names.length === 0 || (wanted.length > 0 && wanted.every((name) => names.includes(name)));
  return (
    areNamesCovered &&
    (part.apiGroups ?? []).every((group) => hasOrAll(rule.apiGroups, group)) &&
    (part.resources ?? []).every((resource) =>
      (rule.resources ?? []).some((one) => resourceCovers(one, resource)),
    )
  );
}

/** Joins one-resource rules that differ in their verbs alone. @spec k8s@1.36 pkg/registry/rbac/validation policy_compact.go */
export function compactRules(rules: readonly V1PolicyRule[]): readonly V1PolicyRule[] {
  const joined = new Map<string, V1PolicyRule>();
  for (const rule of rules) {
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs } = rule;
    // Rules on paths are left apart, as upstream leaves them.
    const apart = nonResourceURLs ? [...nonResourceURLs, ...verbs] : [];
    const key = JSON.stringify([apiGroups, resources, resourceNames, apart]);
    const known = joined.get(key)?.verbs ?? [];
    joined.set(key, { ...rule, verbs: [...new Set([...known, ...verbs])] });
  }
  return [...joined.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` @spec k8s@1.36 pkg/apis/rbac/v1 CompactString */
export function formatRule(rule: V1PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  const shown = parts.filter(([, list]) => list !== undefined && list.length > 0);
  return `{${shown.map(([name, list]) => `${name}:${quoteList(list!)}`).join(", ")}}`;
}

/** `["a" "b"]`, as Go prints a list of quoted strings. */
export function quoteList(list: readonly string[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(" ")}]`;
}
