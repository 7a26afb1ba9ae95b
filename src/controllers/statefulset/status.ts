import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { Instant } from "../../base/clock.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isReadyForLong, isRunningAndReady, replicasOf, revisionOfPod } from "./identity.ts";

export type Status = NonNullable<StatefulSet["status"]>;

/** Names of the two revisions that Pods may have. */
export interface Revisions {
  readonly current: string;
  readonly update: string;
}

/**
 * Counts of what there is. Counts of zero are left out as upstream's `omitempty` does.
 *
 * @param deletedCurrent Pods of the current revision that this step deletes for an update.
 * @spec k8s@1.36 pkg/controller/statefulset computeReplicaStatus, completeRollingUpdate
 */
export function statusOf(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update }: Revisions,
  deletedCurrent: number,
  now: Instant,
): Status {
  const staying = pods.filter((pod) => !isBeingDeleted(pod));
  const ofRevision = (name: string): number =>
    staying.filter((pod) => revisionOfPod(pod) === name).length;
  const ready = pods.filter(isRunningAndReady);
  const updated = ofRevision(update);
  const wanted = replicasOf(set);
  const isComplete =
    set.spec?.updateStrategy?.type === "RollingUpdate" &&
    [updated, ready.length, pods.length].every((count) => count === wanted);
  const old = Math.max(0, ofRevision(current) - deletedCurrent);
  const currentReplicas = isComplete ? updated : old;
  return {
    replicas: pods.length,
    ...(ready.length && { readyReplicas: ready.length }),
    ...(currentReplicas && { currentReplicas }),
    ...(updated && { updatedReplicas: updated }),
    currentRevision: isComplete ? update : current,
    updateRevision: update,
    collisionCount: set.status?.collisionCount ?? 0,
    ...(set.status?.conditions && { conditions: set.status.conditions }),
    availableReplicas: ready.filter((pod) => isReadyForLong(set, pod, now)).length,
  };
}
