import type { V1PodDisruptionBudget } from "../../gen/types.ts";
import { notAboveAll, validateShare } from "../apps/deployment-validation.ts";
import { validateConditionList } from "../machinery/condition-validation.ts";
import { invalid } from "../machinery/field-error.ts";
import { validateLabelSelector } from "../machinery/label-selector.ts";
import { maybe, nonNegative, oneOf, when, type Errors } from "../strategy/checks.ts";

/** @spec k8s@1.36 pkg/apis/policy/validation ValidatePodDisruptionBudgetSpec */
export function validateBudget({ spec = {} }: V1PodDisruptionBudget): Errors {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  return [
    ...when(
      minAvailable !== undefined && maxUnavailable !== undefined,
      invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"),
    ),
    ...maybe(minAvailable, (share) => validateCount(share, "spec.minAvailable")),
    ...maybe(maxUnavailable, (share) => validateCount(share, "spec.maxUnavailable")),
    ...validateLabelSelector(selector, "spec.selector"),
    ...oneOf("spec.unhealthyPodEvictionPolicy", unhealthyPodEvictionPolicy, [
      "AlwaysAllow",
      "IfHealthyBudget",
    ]),
  ];
}

function validateCount(share: number | string, field: string): Errors {
  return [...validateShare(share, field), ...notAboveAll(share, field)];
}

/** @spec k8s@1.36 pkg/apis/policy/validation ValidatePodDisruptionBudgetStatusUpdate */
export function validateBudgetStatus({ status }: V1PodDisruptionBudget): Errors {
  return [
    ...validateConditionList(status?.conditions, "status.conditions"),
    ...nonNegative("status.disruptionsAllowed", status?.disruptionsAllowed),
    ...nonNegative("status.currentHealthy", status?.currentHealthy),
    ...nonNegative("status.desiredHealthy", status?.desiredHealthy),
    ...nonNegative("status.expectedPods", status?.expectedPods),
  ];
}
