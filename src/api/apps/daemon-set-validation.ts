import type {
  V1DaemonSet,
  V1DaemonSetUpdateStrategy,
  V1RollingUpdateDaemonSet,
} from "../../gen/types.ts";
import { validateMatchedTemplate } from "../core/template-validation.ts";
import { invalid, notSupported, required } from "../machinery/field-error.ts";
import { labelSelectorOf, validateLabelSelector } from "../machinery/label-selector.ts";
import { nonNegative, when, type Errors } from "../strategy/checks.ts";
import { notAboveAll, validateShare } from "./deployment-validation.ts";

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateDaemonSetSpec */
export function validateDaemonSet({ spec }: V1DaemonSet): Errors {
  if (spec === undefined) return [required("spec.template")];
  const { selector, template } = spec;
  const selectorErrors = selector ? validateLabelSelector(selector, "spec.selector") : [];
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const isEmpty = Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
  // One that cannot be read is complained of once.
  const matcher = labelSelectorOf(selectorErrors.length === 0 ? selector : {});
  return [
    ...selectorErrors,
    ...(template
      ? validateMatchedTemplate(matcher, template, "spec.template", "DaemonSet")
      : [required("spec.template")]),
    ...when(
      !!selector && isEmpty,
      invalid("spec.selector", selector, "empty selector is invalid for daemonset"),
    ),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy ?? {}, "spec.updateStrategy"),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
  ];
}

function validateStrategy(strategy: V1DaemonSetUpdateStrategy, field: string): Errors {
  const { type, rollingUpdate } = strategy;
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate")
    return [notSupported(field, strategy, ["OnDelete", "RollingUpdate"])];
  const path = `${field}.rollingUpdate`;
  return rollingUpdate ? validateRolling(rollingUpdate, path) : [required(path)];
}

/** Either surplus Pods or missing ones, and one of them. @spec ValidateRollingUpdateDaemonSet */
function validateRolling(rolling: V1RollingUpdateDaemonSet, path: string): Errors {
  const { maxUnavailable = 1, maxSurge = 0 } = rolling;
  const isSet = (share: number | string): boolean => Number.parseInt(String(share), 10) !== 0;
  const [unavailable, surge] = [`${path}.maxUnavailable`, `${path}.maxSurge`];
  return [
    ...validateShare(maxUnavailable, unavailable),
    ...validateShare(maxSurge, surge),
    ...notAboveAll(maxUnavailable, unavailable),
    ...notAboveAll(maxSurge, surge),
    ...when(
      isSet(maxUnavailable) && isSet(maxSurge),
      invalid(surge, maxSurge, "may not be set when maxUnavailable is non-zero"),
    ),
    ...when(
      !isSet(maxUnavailable) && !isSet(maxSurge),
      required(unavailable, "cannot be 0 when maxSurge is 0"),
    ),
  ];
}

/** Counts that cannot be. @spec ValidateDaemonSetStatusUpdate */
export function validateDaemonSetStatus({ status }: V1DaemonSet, old: V1DaemonSet): Errors {
  const collisions = status?.collisionCount;
  const before = old.status?.collisionCount;
  const counts = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ] as const;
  return [
    ...counts.flatMap((count) => nonNegative(`status.${count}`, status?.[count])),
    ...when(
      before !== undefined && (collisions ?? -1) < before,
      invalid("status.collisionCount", collisions ?? 0, "cannot be decremented"),
    ),
  ];
}
