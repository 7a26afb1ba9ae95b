import type { V1ReplicaSetStatus } from "../../gen/types.ts";
import { invalid } from "../machinery/field-error.ts";
import { nonNegative, when, type Errors } from "./checks.ts";

/** Counts that cannot be, of a ReplicaSet or ReplicationController. @spec ValidateReplicaSetStatus, ValidateReplicationControllerStatus */
export function validateReplicaCounts(status: V1ReplicaSetStatus | undefined): Errors {
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
