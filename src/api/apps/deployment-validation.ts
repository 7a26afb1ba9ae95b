import type { IntOrString, V1Deployment, V1DeploymentStrategy } from "../../gen/types.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validatePercent } from "../machinery/names.ts";
import { invalids, nonNegative, when, type Errors } from "../strategy/checks.ts";
import { atMost } from "../strategy/replica-counts.ts";
import { validateSelectedTemplate } from "../core/template-validation.ts";

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateDeploymentSpec */
export function validateDeployment({ spec }: V1Deployment): Errors {
  if (spec === undefined) return [required("spec.selector"), required("spec.template")];
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...validateSelectedTemplate(spec, "spec"),
    ...validateStrategy(spec.strategy ?? {}, "spec.strategy"),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...nonNegative("spec.progressDeadlineSeconds", deadline),
    ...when(
      deadline !== undefined && deadline <= minReadySeconds,
      invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"),
    ),
  ];
}

function validateStrategy({ type, rollingUpdate }: V1DeploymentStrategy, field: string): Errors {
  const path = `${field}.rollingUpdate`;
  if (type === "Recreate") {
    const rule = "may not be specified when strategy `type` is 'Recreate'";
    return when(rollingUpdate !== undefined, forbidden(path, rule));
  }
  if (type !== "RollingUpdate")
    return [notSupported(`${field}.type`, type ?? "", ["Recreate", "RollingUpdate"])];
  if (rollingUpdate === undefined)
    return [required(path, "this should be defaulted and never be nil")];
  const { maxUnavailable = "25%", maxSurge = "25%" } = rollingUpdate;
  const unavailable = `${path}.maxUnavailable`;
  return [
    ...validateShare(maxUnavailable, unavailable),
    ...validateShare(maxSurge, `${path}.maxSurge`),
    ...when(
      numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0,
      invalid(unavailable, maxUnavailable, "may not be 0 when `maxSurge` is 0"),
    ),
    ...notAboveAll(maxUnavailable, unavailable),
  ];
}

/** A count, or a percentage. @spec ValidatePositiveIntOrPercent */
export function validateShare(share: IntOrString, field: string): Errors {
  return typeof share === "string"
    ? invalids(field, share, validatePercent(share))
    : nonNegative(field, share);
}

/** A percentage of at most 100. @spec IsNotMoreThan100Percent */
export function notAboveAll(share: IntOrString, field: string): Errors {
  return when(
    typeof share === "string" && /^\d+%$/.test(share) && numberOf(share) > 100,
    invalid(field, share, "must not be greater than 100%"),
  );
}

function numberOf(share: IntOrString): number {
  return typeof share === "number" ? share : Number.parseInt(share, 10);
}

/** Counts that cannot be. @spec ValidateDeploymentStatus */
export function validateDeploymentStatus({ status = {} }: V1Deployment, old: V1Deployment): Errors {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const collisions = status.collisionCount;
  const before = old.status?.collisionCount;
  const tooMany = "cannot be greater than status.replicas";
  return [
    ...nonNegative("status.observedGeneration", status.observedGeneration),
    ...nonNegative("status.replicas", replicas),
    ...nonNegative("status.updatedReplicas", updatedReplicas),
    ...nonNegative("status.readyReplicas", readyReplicas),
    ...nonNegative("status.availableReplicas", availableReplicas),
    ...nonNegative("status.unavailableReplicas", status.unavailableReplicas),
    ...nonNegative("status.collisionCount", collisions),
    ...atMost("status.updatedReplicas", updatedReplicas, replicas, tooMany),
    ...atMost("status.readyReplicas", readyReplicas, replicas, tooMany),
    ...atMost("status.availableReplicas", availableReplicas, replicas, tooMany),
    ...atMost(
      "status.availableReplicas",
      availableReplicas,
      readyReplicas,
      "cannot be greater than readyReplicas",
    ),
    ...when(
      before !== undefined && (collisions ?? -1) < before,
      invalid("status.collisionCount", collisions, "cannot be decremented"),
    ),
  ];
}
