import { disruptionRefused, forbidden, severalBudgets } from "../../api/machinery/status-errors.ts";
import { findCondition, isConditionTrue } from "../../api/machinery/conditions.ts";
import type { StatusError } from "../../api/machinery/status-error.ts";
import { DISRUPTION_ALLOWED, withAllowedCondition } from "../../api/policy/budget.ts";
import type { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import { formatTime, type Instant } from "../../base/clock.ts";
import type { V1Pod, V1PodDisruptionBudgetStatus } from "../../gen/types.ts";

/** What an eviction of one Pod comes to. */
export type Verdict =
  /** No budget has to be asked. `isPinned`: that holds for the Pod as it is now, and no longer. */
  | { readonly kind: "free"; readonly isPinned: boolean }
  /** It counts for nothing in this budget, as long as it is as it is now. */
  | { readonly kind: "unhealthy"; readonly budget: PodDisruptionBudget }
  /** It costs this budget one disruption. */
  | { readonly kind: "spends"; readonly budget: PodDisruptionBudget }
  | { readonly kind: "refused"; readonly error: StatusError };

/**
 * Evictions of one budget that may be under way. @spec eviction.go MaxDisruptedPodSize. They stand in its status: doubling
 * doubles what is written at each.
 */
const DISRUPTED_PODS_MAX = 2000;

/**
 * What the eviction of `pod` comes to, by the budgets that select it.
 *
 * 1. What runs no more, or not yet, disrupts nobody. 2. Several budgets: refused. 3. Not ready: free if the policy says always,
 * or the budget is met without it. 4. Else it costs a disruption.
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go Create
 */
export function judgeEviction(pod: V1Pod, budgets: readonly PodDisruptionBudget[]): Verdict {
  const { phase, conditions } = pod.status ?? {};
  const isOver = phase === "Succeeded" || phase === "Failed" || !!pod.metadata?.deletionTimestamp;
  if (isOver) return { kind: "free", isPinned: false };
  if (phase === "Pending") return { kind: "free", isPinned: true };
  const [budget, another] = budgets;
  if (!budget) return { kind: "free", isPinned: false };
  if (another) return { kind: "refused", error: severalBudgets() };
  if (isConditionTrue(conditions, "Ready")) return { kind: "spends", budget };
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  const isMet = currentHealthy >= desiredHealthy && desiredHealthy > 0;
  const isAlways = budget.spec?.unhealthyPodEvictionPolicy === "AlwaysAllow";
  return { kind: isAlways || isMet ? "unhealthy" : "spends", budget };
}

/**
 * The budget less one disruption, with the Pod it is for.
 *
 * @throws {StatusError} TooManyRequests: it has none to give; Forbidden: its status cannot be.
 * @spec k8s@1.36 pkg/registry/core/pod/storage/eviction.go checkAndDecrement
 */
export function spend(
  budget: PodDisruptionBudget,
  podName: string,
  now: Instant,
): PodDisruptionBudget {
  const name = budget.metadata?.name ?? "";
  const { status } = budget;
  if (!status || (status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0))
    throw unsettled(name);
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw refused(name, "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX)
    throw refused(
      name,
      "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
    );
  if (allowed === 0) throw disruptionRefused(whyNone(name, status));
  const left: V1PodDisruptionBudgetStatus = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...status.disruptedPods, [podName]: formatTime(now) },
  };
  const isLast = allowed === 1;
  return { ...budget, status: isLast ? withAllowedCondition(left, now) : left };
}

/** Its controller has not counted yet, or the Pod has changed: in a moment it will be known. */
export function unsettled(budget: string): StatusError {
  const why = `The disruption budget ${budget} is still being processed by the server.`;
  return disruptionRefused(why, 10);
}

function refused(name: string, why: string): StatusError {
  return forbidden({ group: "policy", plural: "poddisruptionbudget" }, name, why);
}

function whyNone(name: string, status: V1PodDisruptionBudgetStatus): string {
  const { currentHealthy = 0, desiredHealthy = 0, conditions } = status;
  const condition = findCondition(conditions, DISRUPTION_ALLOWED);
  const said = condition?.status === "False" && condition.message ? condition : undefined;
  const not = `The disruption budget ${name} does not allow evicting pods currently`;
  // The numbers of a budget that could not be counted are worth nothing.
  if (said?.reason === "SyncFailed") return `${not} because it failed sync: ${said.message}`;
  if (currentHealthy <= desiredHealthy)
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return said ? `${not} (${said.reason}): ${said.message}` : not;
}
