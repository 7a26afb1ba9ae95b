import { IndexSet } from "../../api/batch/index-set.ts";
import { INDEX_FAILURES, INDEX_IGNORED_FAILURES, isIndexed } from "../../api/batch/job-state.ts";
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pod.ts";
import { INT32_MAX } from "../../api/strategy/checks.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodActive, isPodTerminating } from "../../reconciler/pod-state.ts";
import { judgeFailure } from "./failure-policy.ts";
import { completionIndexOf, endedAt, isPodFailed, isTracked, type JobSpec } from "./job-pods.ts";

/** What a Job's Pods and its status say together. */
export interface Tally {
  readonly job: Job;
  readonly spec: JobSpec;
  /** The Job is being deleted, or its namespace: nothing new comes, and nothing waits for it. */
  readonly isEnding: boolean;
  /** All Pods that the Job controls. */
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  /** Successes and failures that count: those in the status, recorded there to be counted, and not recorded yet. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of an Indexed Job: indexes that the status has as completed, and those with what has succeeded since. */
  readonly recordedIndexes: IndexSet;
  readonly completedIndexes: IndexSet;
  /** With `backoffLimitPerIndex`. */
  readonly failedIndexes: IndexSet | undefined;
  /** With `backoffLimitPerIndex`, by index: the failed Pod that stays until its replacement has its count of failures. */
  readonly lastFailed: ReadonlyMap<number, Pod>;
}

/** Pure. `pods`: those that the Job controls. @spec k8s@1.36 pkg/controller/job/job_controller.go syncJob, first half */
export function tallyOf(
  job: Job,
  spec: JobSpec,
  pods: readonly Pod[],
  isPlaceEnding = false,
): Tally {
  const { status = {} } = job;
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const active = pods.filter(isPodActive);
  const counting = new Set([...succeeded, ...failed]);
  const uncounted = pods.filter((pod) => isTracked(pod) && isOfJob(spec, pod));
  // A Pod that was recorded as failed while it was going stays so, even if it succeeds in the end.
  const isNew = (pod: Pod): boolean => !counting.has(pod.metadata?.uid ?? "");
  const newSucceeded = uncounted.filter(isSucceeded).filter(isNew);
  const newFailed = uncounted
    .filter((pod) => isPodFailed(pod, spec) && judgeFailure(spec.podFailurePolicy, pod).isCounted)
    .filter(isNew);
  const completions = spec.completions ?? 0;
  const recordedIndexes = IndexSet.parse(
    isIndexed(spec) ? (status.completedIndexes ?? "") : "",
    completions,
  );
  const completedIndexes = recordedIndexes.union(
    IndexSet.of(isIndexed(spec) ? indexesOf(newSucceeded) : []),
  );
  const failedIndexes = failedIndexesOf(job, spec, uncounted);
  return {
    job,
    spec,
    isEnding: isBeingDeleted(job) || isPlaceEnding,
    pods,
    active,
    terminating: pods.filter(isPodTerminating),
    succeeded: isIndexed(spec)
      ? completedIndexes.size
      : (status.succeeded ?? 0) + newSucceeded.length + succeeded.length,
    failed: (status.failed ?? 0) + newFailed.length + failed.length,
    recordedIndexes,
    completedIndexes,
    failedIndexes,
    lastFailed: failedIndexes
      ? lastFailedOf(spec, uncounted, [
          completedIndexes,
          failedIndexes,
          IndexSet.of(indexesOf(active)),
        ])
      : new Map(),
  };
}

function isSucceeded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded";
}

/** Of an Indexed Job only Pods with an index below `completions` count. */
export function isOfJob(spec: JobSpec, pod: Pod): boolean {
  if (!isIndexed(spec)) return true;
  const index = completionIndexOf(pod);
  return index !== undefined && index < (spec.completions ?? 0);
}

/** The indexes of those that have one. */
export function indexesOf(pods: readonly Pod[]): number[] {
  return pods.flatMap((pod) => completionIndexOf(pod) ?? []);
}

/** @spec calculateFailedIndexes */
function failedIndexesOf(
  { status }: Job,
  spec: JobSpec,
  uncounted: readonly Pod[],
): IndexSet | undefined {
  const { backoffLimitPerIndex: limit, completions = 0 } = spec;
  if (limit === undefined) return undefined;
  const isIndexFailed = (pod: Pod): boolean => {
    if (!isPodFailed(pod, spec)) return false;
    const { action, isCounted } = judgeFailure(spec.podFailurePolicy, pod);
    return action === "FailIndex" || (isCounted && countedFailures(pod) >= limit);
  };
  const before = IndexSet.parse(status?.failedIndexes ?? "", completions);
  return before.union(IndexSet.of(indexesOf(uncounted.filter(isIndexFailed))));
}

/** @spec getPodsWithDelayedDeletionPerIndex */
function lastFailedOf(
  spec: JobSpec,
  uncounted: readonly Pod[],
  settled: readonly IndexSet[],
): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>();
  for (const pod of uncounted) {
    const index = completionIndexOf(pod)!;
    if (!isPodFailed(pod, spec) || settled.some((set) => set.has(index))) continue;
    const other = last.get(index);
    const isLater =
      !other || (allFailures(other) <= allFailures(pod) && endedAt(pod) >= endedAt(other));
    if (isLater) last.set(index, pod);
  }
  return last;
}

/** Failures of the index before this Pod, as its annotation says. */
export function countedFailures(pod: Pod): number {
  return annotatedCount(pod, INDEX_FAILURES);
}

/** Failures of the index before this Pod that the failure policy ignored. */
export function ignoredFailures(pod: Pod): number {
  return annotatedCount(pod, INDEX_IGNORED_FAILURES);
}

/** All failures of the index before this Pod. */
export function allFailures(pod: Pod): number {
  return countedFailures(pod) + ignoredFailures(pod);
}

/** What somebody wrote that is no count is none. */
function annotatedCount(pod: Pod, annotation: string): number {
  const text = pod.metadata?.annotations?.[annotation] ?? "";
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count <= INT32_MAX ? count : 0;
}
