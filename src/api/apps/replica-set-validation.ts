import type { V1ReplicaSet } from "../../gen/types.ts";
import { invalid, required } from "../machinery/field-error.ts";
import { nonNegative, when, type Errors } from "../strategy/checks.ts";
import { validateSelectedTemplate } from "./template-validation.ts";

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateReplicaSetSpec */
export function validateReplicaSet({ spec }: V1ReplicaSet): Errors {
  if (spec === undefined) return [required("spec.selector"), required("spec.template")];
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateSelectedTemplate(spec, "spec"),
  ];
}

/** Counts that cannot be. @spec ValidateReplicaSetStatus */
export function validateReplicaSetStatus({ status }: V1ReplicaSet): Errors {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0 } = status ?? {};
  const { availableReplicas = 0, observedGeneration, terminatingReplicas } = status ?? {};
  const tooMany = "cannot be greater than status.replicas";
  return [
    ...nonNegative("status.replicas", replicas),
    ...nonNegative("status.fullyLabeledReplicas", fullyLabeledReplicas),
    ...nonNegative("status.readyReplicas", readyReplicas),
    ...nonNegative("status.availableReplicas", availableReplicas),
    ...nonNegative("status.terminatingReplicas", terminatingReplicas),
    ...nonNegative("status.observedGeneration", observedGeneration),
    ...atMost("status.fullyLabeledReplicas", fullyLabeledReplicas, replicas, tooMany),
    ...atMost("status.readyReplicas", readyReplicas, replicas, tooMany),
    ...atMost("status.availableReplicas", availableReplicas, replicas, tooMany),
    ...atMost(
      "status.availableReplicas",
      availableReplicas,
      readyReplicas,
      "cannot be greater than readyReplicas",
    ),
  ];
}

/** An `Invalid` with the rule's words when the count is above the bound. */
export function atMost(field: string, count: number, bound: number, rule: string): Errors {
  return when(count > bound, invalid(field, count, rule));
}
