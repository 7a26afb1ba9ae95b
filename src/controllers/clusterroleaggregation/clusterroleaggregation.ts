import { equalSemantic } from "../../api/machinery/equality.ts";
import { labelSelectorOf } from "../../api/machinery/label-selector.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import type { V1PolicyRule } from "../../gen/types.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/** `parts`: for each selector of the rule the roles that it selects, by name. */
export interface Observed {
  readonly role: ClusterRole;
  readonly parts: readonly (readonly ClusterRole[])[];
}

/**
 * Keeps the rules of roles that are sums of others.
 *
 * A change of any role may concern all sums: there are few of them, and which depends on which is told by labels alone.
 * @spec k8s@1.36 pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
 */
export const clusterRoleAggregation = defineController<ClusterRole, Observed>({
  name: "clusterrole-aggregation-controller",
  primary: ClusterRole,
  triggers: [
    {
      kind: ClusterRole,
      keys: (_, cache) => cache.list(ClusterRole, { where: isSum }).map(keyOf),
    },
  ],
  observe(cache, key) {
    const role = cache.get(ClusterRole, key);
    if (!role || !isSum(role)) return undefined;
    const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
    const parts = selectors.map((selector) => {
      const { matches } = labelSelectorOf(selector);
      const where = ({ metadata }: ClusterRole): boolean =>
        metadata?.name !== key.name && matches(metadata?.labels);
      return cache.list(ClusterRole, { where });
    });
    return { role, parts };
  },
  plan,
});

/** Pure; see {@link clusterRoleAggregation}. */
export function plan({ role, parts }: Observed): Plan {
  const rules: V1PolicyRule[] = [];
  for (const rule of parts.flat().flatMap((part) => part.rules ?? []))
    if (!rules.some((known) => equalSemantic(known, rule))) rules.push(rule);
  if (isBeingDeleted(role) || equalSemantic(rules, role.rules ?? [])) return {};
  const object: ClusterRole = { ...role, rules };
  return { writes: [{ verb: "update", kind: ClusterRole, object }] };
}

function isSum({ aggregationRule }: ClusterRole): boolean {
  return aggregationRule !== undefined;
}
