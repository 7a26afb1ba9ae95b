import type { V1PolicyRule } from "../../gen/types.ts";
import type { AuthorizedInfo } from "./authorizer.ts";

const ALL = "*";

/**
 * True when `rule` allows what `info` asks.
 *
 * @spec k8s@1.36 plugin/pkg/auth/authorizer/rbac RuleAllows; pkg/apis/rbac/v1 evaluation_helpers.go
 */
export function ruleAllows(rule: V1PolicyRule, info: AuthorizedInfo): boolean {
  if (!hasOrAll(rule.verbs, info.verb)) return false;
  if (!info.isResource)
    return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, info.path));
  const { plural, subresource } = info;
  const resource = subresource ? `${plural}/${subresource}` : plural;
  const names = rule.resourceNames ?? [];
  return (
    hasOrAll(rule.apiGroups, info.group) &&
    (rule.resources ?? []).some((one) => resourceCovers(one, resource)) &&
    (names.length === 0 || names.includes(info.name))
  );
}

/** True when a rule's `url` stands for `path`: equal, `*`, or a prefix with `*` at its end. */
export function urlCovers(url: string, path: string): boolean {
  if (url === ALL || url === path) return true;
  return url.endsWith(ALL) && path.startsWith(url.replace(/\*+$/, ""));
}

/** True when a rule's resource stands for `resource`: equal, `*`, or a star with the same subresource. */
export function resourceCovers(ruleResource: string, resource: string): boolean {
  if (ruleResource === ALL || ruleResource === resource) return true;
  if (!ruleResource.startsWith("*/")) return false;
  const slash = resource.indexOf("/");
  return slash >= 0 && ruleResource.slice(1) === resource.slice(slash);
}

/** True when `list` has `item` or `*`. */
export function hasOrAll(list: readonly string[] | undefined, item: string): boolean {
  return list !== undefined && (list.includes(ALL) || list.includes(item));
}
