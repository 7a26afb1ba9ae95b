import { parseTime, type Instant } from "../../base/clock.ts";
import { COMPLETION_INDEX, JOB_TRACKING } from "../../api/batch/job-state.ts";
import type { Job } from "../../api/batch/job.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { Pod } from "../../api/core/pod.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

export type JobSpec = NonNullable<Job["spec"]>;
type ContainerStatuses = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>;

/** The index that a Pod of an Indexed Job works on; `undefined`: it has none that is valid. */
export function completionIndexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[COMPLETION_INDEX] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** True while the Pod waits to be counted. */
export function isTracked(pod: Pod): boolean {
  return pod.metadata?.finalizers?.includes(JOB_TRACKING) ?? false;
}

/** Lets an ended Pod go. */
export function untrack(pod: Pod): PlannedWrite {
  return {
    verb: "patch",
    kind: Pod,
    key: keyOf(pod),
    type: "strategic",
    ifUid: pod.metadata?.uid ?? "",
    patch: { metadata: { "$deleteFromPrimitiveList/finalizers": [JOB_TRACKING] } },
  };
}

/** True when a Pod is replaced only once it has ended, and not as soon as it is going. @spec onlyReplaceFailedPods */
export function replacesEndedOnly(spec: JobSpec): boolean {
  return spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;
}

/** A Pod that failed, or is going without having succeeded where that counts as failure. @spec isPodFailed */
export function isPodFailed(pod: Pod, spec: JobSpec): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesEndedOnly(spec)) return false;
  return isBeingDeleted(pod) && pod.status?.phase !== "Succeeded";
}

/**
 * When a Pod ended, as well as can be told: the end of its last container, else since when it is not ready, else when
 * its deletion was asked for, else its creation.
 *
 * @spec k8s@1.36 pkg/controller/job/backoff_utils.go getFinishedTime
 */
export function endedAt(pod: Pod): Instant {
  const { containerStatuses = [], initContainerStatuses = [], conditions } = pod.status ?? {};
  const sidecars = (pod.spec?.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === "Always")
    .map(({ name }) => name);
  const last = lastEnd([
    ...containerStatuses,
    ...initContainerStatuses.filter(({ name }) => sidecars.includes(name)),
  ]);
  if (last !== undefined) return last;
  const ready = conditions?.find(({ type }) => type === "Ready");
  const unready = ready?.status === "False" ? timeOf(ready.lastTransitionTime) : undefined;
  if (unready !== undefined) return unready;
  const {
    deletionTimestamp,
    deletionGracePeriodSeconds = 0,
    creationTimestamp,
  } = pod.metadata ?? {};
  const deadline = timeOf(deletionTimestamp);
  if (deadline !== undefined) return deadline - deletionGracePeriodSeconds * 1000;
  return timeOf(creationTimestamp) ?? 0;
}

/** The end of the last of them; `undefined`: one has not ended. */
function lastEnd(statuses: ContainerStatuses): Instant | undefined {
  if (statuses.length === 0) return undefined;
  const ends = statuses.map(({ state }) => timeOf(state?.terminated?.finishedAt) ?? NaN);
  const last = Math.max(...ends);
  return Number.isNaN(last) ? undefined : last;
}

function timeOf(text: string | undefined): Instant | undefined {
  const time = text === undefined ? NaN : parseTime(text);
  return Number.isNaN(time) ? undefined : time;
}
