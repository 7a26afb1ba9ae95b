import { labelSelectorOf } from "../api/machinery/label-selector.ts";
import type { V1Pod, V1PodDisruptionBudget } from "../gen/types.ts";

/**
 * For each Pod of a list, in its order, whether evicting it and those before it would break a budget.
 *
 * A Pod that a budget has let go already breaks nothing. An empty selector selects nothing here.
 * @spec k8s@1.36 plugins/defaultpreemption filterPodsWithPDBViolation
 */
export function violatesBudgets(
  pods: readonly V1Pod[],
  budgets: readonly V1PodDisruptionBudget[],
): readonly boolean[] {
  const left = budgets.map((budget) => ({
    namespace: budget.metadata?.namespace,
    selector: labelSelectorOf(budget.spec?.selector),
    released: budget.status?.disruptedPods ?? {},
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  return pods.map(({ metadata }) => {
    let isBroken = false;
    for (const budget of left) {
      const isOwn =
        budget.namespace === metadata?.namespace &&
        !budget.selector.isEverything &&
        metadata?.labels !== undefined &&
        budget.selector.matches(metadata.labels);
      if (!isOwn || Object.hasOwn(budget.released, metadata?.name ?? "")) continue;
      budget.allowed--;
      isBroken ||= budget.allowed < 0;
    }
    return isBroken;
  });
}
