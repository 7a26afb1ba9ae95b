import type { V1Job, V1Pod } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { isOver } from "./pod-requests.ts";
import { isEnding, isOf } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

const TRACKING = "batch.kubernetes.io/job-tracking";

/** At rest every Job has ended or runs what it should, has let go of what ended, and has counted each Pod once. */
export const jobEnds: Checker = {
  name: "job ends",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const pods = state.list<V1Pod>("pods");
    const all = state.list<V1Job>("batch/jobs");
    const jobs = all.filter((job) => !isEnding(job));
    return [
      ...pods
        .filter((pod) => isOver(pod) && isTracked(pod))
        .map((pod) => `${keyOf(pod)} was not counted`),
      ...pods
        .filter((pod) => isTracked(pod) && !all.some((job) => isOf(pod, job)))
        .map((pod) => `${keyOf(pod)} waits to be counted, and its Job is gone`),
      ...jobs.flatMap((job) =>
        [...ended(job, pods), ...counted(job, changes)].map(
          (problem) => `${keyOf(job)}: ${problem}`,
        ),
      ),
    ];
  },
};

/** It waits to be counted, if it has ended. */
export function isTracked({ metadata }: V1Pod): boolean {
  return metadata?.finalizers?.includes(TRACKING) ?? false;
}

function hasCondition({ status }: V1Job, type: string): boolean {
  return status?.conditions?.find((one) => one.type === type)?.status === "True";
}

function ended(job: V1Job, pods: readonly V1Pod[]): readonly string[] {
  const { spec, status } = job;
  const own = pods.filter((pod) => isOf(pod, job) && !isOver(pod) && !isEnding(pod));
  const { parallelism = 1, completions = Infinity } = spec ?? {};
  const { active = 0, succeeded = 0 } = status ?? {};
  const isFinished = hasCondition(job, "Complete") || hasCondition(job, "Failed");
  const hasBegunToEnd = completions === Infinity && succeeded > 0;
  const isIdle = isFinished || spec?.suspend === true;
  const due = isIdle ? 0 : Math.min(parallelism, completions - succeeded);
  // Once one of them has succeeded no new ones come, and those that are there stay, whatever the parallelism has become.
  const most = hasBegunToEnd && !isIdle ? Infinity : due;
  // Indexes that failed for good are not tried again.
  const isFewer = hasBegunToEnd || spec?.backoffLimitPerIndex !== undefined;
  const isWrong = isFewer && !isIdle ? own.length > most : own.length !== due;
  return [
    ...(isWrong ? [`${own.length} of its Pods run, due ${due}`] : []),
    ...(active === own.length ? [] : [`status.active ${active}, due ${own.length}`]),
  ];
}

/**
 * At most once each: of an Indexed one, duplicates count for nothing. What was told to end counts as failed where its controller had not
 * heard that it had succeeded before.
 */
function counted(job: V1Job, changes: readonly Change[]): readonly string[] {
  const succeeded = new Set<string>();
  const failed = new Set<string>();
  for (const { resource, object } of changes) {
    if (resource !== "pods" || !object || !isOf(object, job)) continue;
    const { status, metadata } = object as V1Pod;
    if (status?.phase === "Succeeded") succeeded.add(metadata?.uid ?? "");
    if (status?.phase === "Failed" || isEnding(object)) failed.add(metadata?.uid ?? "");
  }
  const { status } = job;
  const more = (what: string, is = 0, most: number): readonly string[] =>
    is > most ? [`status.${what} ${is}, of ${most} Pods`] : [];
  return [
    ...more("succeeded", status?.succeeded, succeeded.size),
    ...more("failed", status?.failed, failed.size),
    ...more(
      "succeeded and failed",
      (status?.succeeded ?? 0) + (status?.failed ?? 0),
      new Set([...succeeded, ...failed]).size,
    ),
  ];
}
