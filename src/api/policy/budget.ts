import { formatTime, type Instant } from "../../base/clock.ts";
import type { V1PodDisruptionBudgetStatus } from "../../gen/types.ts";
import { setCondition } from "../machinery/conditions.ts";
import { labelSelectorOf, type Labels } from "../machinery/label-selector.ts";
import type { PodDisruptionBudget } from "./pod-disruption-budget.ts";

/** The condition that says in words whether a budget allows a disruption. */
export const DISRUPTION_ALLOWED = "DisruptionAllowed";

/** True for Pods that a budget of their namespace is about. An absent selector is about none, an empty one about all. */
export function isSelectedBy(budget: PodDisruptionBudget, labels: Labels | undefined): boolean {
  const selector = budget.spec?.selector;
  if (!selector) return false;
  let compiled = compiledSelectors.get(selector);
  if (!compiled) compiledSelectors.set(selector, (compiled = labelSelectorOf(selector)));
  return compiled.matches(labels);
}

/** By selector object: versions out of a cache never change. */
const compiledSelectors = new WeakMap<object, ReturnType<typeof labelSelectorOf>>();

/**
 * The status with the condition that its count asks for.
 *
 * @spec k8s@1.36 component-helpers apps/poddisruptionbudget UpdateDisruptionAllowedCondition
 */
export function withAllowedCondition(
  status: V1PodDisruptionBudgetStatus,
  now: Instant,
): V1PodDisruptionBudgetStatus {
  const isAllowed = (status.disruptionsAllowed ?? 0) > 0;
  return withCondition(
    status,
    isAllowed ? "True" : "False",
    isAllowed ? "SufficientPods" : "InsufficientPods",
    "",
    now,
  );
}

/** The status of a budget that could not be counted: it allows nothing. @spec disruption.go failSafe */
export function withFailedSync(
  status: V1PodDisruptionBudgetStatus,
  why: string,
  now: Instant,
): V1PodDisruptionBudgetStatus {
  return withCondition({ ...status, disruptionsAllowed: 0 }, "False", "SyncFailed", why, now);
}

function withCondition(
  status: V1PodDisruptionBudgetStatus,
  value: "True" | "False",
  reason: string,
  message: string,
  now: Instant,
): V1PodDisruptionBudgetStatus {
  const { observedGeneration, conditions } = status;
  const condition = {
    type: DISRUPTION_ALLOWED,
    status: value,
    ...(observedGeneration !== undefined && { observedGeneration }),
    lastTransitionTime: formatTime(now),
    reason,
    message,
  };
  return { ...status, conditions: setCondition(conditions, condition, now) };
}
