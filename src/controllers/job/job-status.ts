import { formatTime, type Instant } from "../../base/clock.ts";
import { isIndexed } from "../../api/batch/job-state.ts";
import { IndexSet } from "../../api/batch/index-set.ts";
import { findCondition } from "../../api/machinery/conditions.ts";
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { PlannedEvent } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodReady } from "../../reconciler/pod-state.ts";
import { judgeFailure } from "./failure-policy.ts";
import { completionIndexOf, isPodFailed, isTracked } from "./job-pods.ts";
import { isOfJob, type Tally } from "./tally.ts";
import type { Verdict } from "./verdict.ts";

export type JobStatus = NonNullable<Job["status"]>;
export type Condition = NonNullable<JobStatus["conditions"]>[number];

/**
 * Ended Pods that wait to be counted at once. Their uids stand in the status: twice as many would make it 40 kB.
 * @spec MaxUncountedPods
 */
const UNCOUNTED_MAX = 500;

/** How ended Pods are counted exactly once: recorded in the status, then let go, then counted. */
export interface Tracking {
  /** Pods whose finalizer can go now: the status has them, or they need not be counted. */
  readonly released: readonly Pod[];
  readonly succeeded: number;
  readonly failed: number;
  readonly uncounted: NonNullable<JobStatus["uncountedTerminatedPods"]>;
  readonly completedIndexes: IndexSet;
  /** No Pod waits to be recorded, let go or counted. */
  readonly isSettled: boolean;
}

/** @spec k8s@1.36 pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers, cleanUncountedPodsWithoutFinalizers */
export function trackingOf(tally: Tally, verdict: Verdict | undefined): Tracking {
  const { job, spec, pods, recordedIndexes } = tally;
  const status = job.status ?? {};
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const tracked = pods.filter(isTracked);
  const trackedUids = new Set(tracked.map(uidOf));
  const recorded = new Set([...succeeded, ...failed]);
  const released: Pod[] = [];
  const newly = { succeeded: [] as string[], failed: [] as string[], indexes: [] as number[] };
  let room = UNCOUNTED_MAX - recorded.size;
  for (const pod of tracked) {
    if (!canBeReleased(tally, verdict, pod)) continue;
    const count = recorded.has(uidOf(pod)) ? "done" : countOf(tally, verdict, pod);
    if (count === "done") {
      if (!verdict || verdict.isRecorded) released.push(pod);
    } else if (room > 0) {
      room--;
      if (count === "index") newly.indexes.push(completionIndexOf(pod)!);
      else newly[count].push(uidOf(pod));
    }
  }
  const stillTracked = (uid: string): boolean => trackedUids.has(uid);
  const counting = {
    succeeded: succeeded.filter(stillTracked),
    failed: failed.filter(stillTracked),
  };
  const uncounted = {
    succeeded: [...counting.succeeded, ...newly.succeeded],
    failed: [...counting.failed, ...newly.failed],
  };
  const completedIndexes = recordedIndexes.union(IndexSet.of(newly.indexes));
  const counted = succeeded.length - counting.succeeded.length;
  return {
    released,
    succeeded: isIndexed(spec) ? completedIndexes.size : (status.succeeded ?? 0) + counted,
    failed: (status.failed ?? 0) + failed.length - counting.failed.length,
    uncounted,
    completedIndexes,
    isSettled: tracked.length === 0 && uncounted.succeeded.length + uncounted.failed.length === 0,
  };
}

/** @spec canRemoveFinalizer */
function canBeReleased(
  { job, isEnding, spec, lastFailed }: Tally,
  verdict: Verdict | undefined,
  pod: Pod,
): boolean {
  if (isBeingDeleted(job) || verdict || pod.status?.phase === "Succeeded") return true;
  if (!isPodFailed(pod, spec)) return false;
  const index = completionIndexOf(pod);
  return isEnding || index === undefined || lastFailed.get(index) !== pod;
}

/** As what a Pod must be recorded before it is let go; "done": it need not be. */
function countOf(
  { spec, recordedIndexes }: Tally,
  verdict: Verdict | undefined,
  pod: Pod,
): "succeeded" | "failed" | "index" | "done" {
  if (!isOfJob(spec, pod)) return "done";
  if (pod.status?.phase === "Succeeded") {
    if (!isIndexed(spec)) return "succeeded";
    return recordedIndexes.has(completionIndexOf(pod)!) ? "done" : "index";
  }
  // Once the Job has failed, every Pod that had not succeeded counts as failed.
  if (!isPodFailed(pod, spec) && verdict?.type !== "FailureTarget") return "done";
  return judgeFailure(spec.podFailurePolicy, pod).isCounted ? "failed" : "done";
}

function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? "";
}

/** What the plan leaves behind, as far as the status tells of it. */
export interface Outlook {
  readonly active: readonly Pod[];
  readonly createdCount: number;
  readonly terminatingCount: number;
}

/** The status without its conditions and times. Counts of zero are left out where upstream's are no pointers. */
export function countsOf(tally: Tally, tracking: Tracking, outlook: Outlook): JobStatus {
  const { spec, failedIndexes } = tally;
  const active = outlook.active.length + outlook.createdCount;
  const completed = isIndexed(spec) ? tracking.completedIndexes.toString() : "";
  const { succeeded, failed } = tracking.uncounted as Required<Tracking["uncounted"]>;
  return {
    ...(active && { active }),
    ...(tracking.succeeded && { succeeded: tracking.succeeded }),
    ...(tracking.failed && { failed: tracking.failed }),
    ready: outlook.active.filter(isPodReady).length,
    terminating: outlook.terminatingCount,
    ...(completed && { completedIndexes: completed }),
    ...(failedIndexes && { failedIndexes: failedIndexes.toString() }),
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 && { succeeded }),
      ...(failed.length > 0 && { failed }),
    },
  };
}

/** Conditions and times, and what is told when they have been written. */
export interface Progress {
  readonly status: Pick<JobStatus, "conditions" | "startTime" | "completionTime">;
  readonly events: readonly PlannedEvent[];
}

/**
 * @param verdict how the Job ends; `undefined`: it goes on.
 * @param isEnded all Pods are gone and counted.
 */
export function progressOf(
  { job, spec }: Tally,
  verdict: Verdict | undefined,
  isEnded: boolean,
  now: Instant,
): Progress {
  const time = formatTime(now);
  const { conditions = [], startTime: start, completionTime } = job.status ?? {};
  if (!verdict) return suspension({ job, spec }, now);
  const { type, reason, message } = verdict;
  const target = verdict.isRecorded ? [] : [conditionOf(type, "True", reason, message, time)];
  const startTime = start ?? (spec.suspend && !isEnded ? undefined : time);
  const common = {
    ...(startTime !== undefined && { startTime }),
    ...(completionTime !== undefined && { completionTime }),
  };
  const decided = [
    ...conditions.filter((old) => verdict.isRecorded || old.type !== type),
    ...target,
  ];
  if (!isEnded) return { status: { ...common, conditions: decided }, events: [] };
  const isComplete = type === "SuccessCriteriaMet";
  const final = conditionOf(isComplete ? "Complete" : "Failed", "True", reason, message, time);
  return {
    status: {
      ...common,
      ...(isComplete && { completionTime: time }),
      conditions: [...decided, final],
    },
    events: isComplete ? completionEvents(job) : [{ type: "Warning", reason, message }],
  };
}

function completionEvents({ spec, status }: Job): PlannedEvent[] {
  const isOverdone = (status?.succeeded ?? 0) > (spec?.completions ?? Infinity);
  const message = "Too many succeeded pods running after completion count reached";
  return [
    ...(isOverdone ? [{ type: "Warning", reason: "TooManySucceededPods", message } as const] : []),
    { type: "Normal", reason: "Completed", message: "Job completed" },
  ];
}

/** A suspended Job has no time of beginning; a resumed one begins anew. */
function suspension({ job, spec }: Pick<Tally, "job" | "spec">, now: Instant): Progress {
  const { conditions = [], startTime } = job.status ?? {};
  const time = formatTime(now);
  const started = { startTime: startTime ?? time };
  const old = findCondition(conditions, "Suspended");
  const [kept, wanted] = [
    conditions.length > 0 ? { conditions } : {},
    spec.suspend ? "True" : "False",
  ];
  if (isBeingDeleted(job)) return { status: startTime ? { ...kept, startTime } : kept, events: [] };
  if (old?.status === wanted || (!old && !spec.suspend))
    return { status: spec.suspend ? kept : { ...kept, ...started }, events: [] };
  const [reason, message] = spec.suspend
    ? (["Suspended", "Job suspended"] as const)
    : (["Resumed", "Job resumed"] as const);
  const condition = conditionOf("Suspended", wanted, `Job${reason}`, message, time);
  return {
    status: {
      ...(spec.suspend ? {} : { startTime: time }),
      conditions: old
        ? conditions.map((one) => (one === old ? condition : one))
        : [...conditions, condition],
    },
    events: [{ type: "Normal", reason, message }],
  };
}

function conditionOf(
  type: string,
  status: string,
  reason: string,
  message: string,
  time: string,
): Condition {
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}
