import { parseTime, type Instant } from "../../base/clock.ts";
import { IndexSet } from "../../api/batch/index-set.ts";
import { isIndexed } from "../../api/batch/job-state.ts";
import { findCondition } from "../../api/machinery/conditions.ts";
import type { Pod } from "../../api/core/pod.ts";
import { judgeFailure } from "./failure-policy.ts";
import { isPodFailed, type JobSpec } from "./job-pods.ts";
import type { Tally } from "./tally.ts";

/** How a Job is going to end, and why. Its condition of this type comes first; Complete or Failed follows when all is counted. */
export interface Verdict {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
  /** It stands in the status already. */
  readonly isRecorded: boolean;
}

/** All that was wanted has succeeded. */
export const COMPLETIONS_REACHED: Verdict = {
  type: "SuccessCriteriaMet",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
  isRecorded: false,
};

const failure = (reason: string, message: string): Verdict => ({
  type: "FailureTarget",
  reason,
  message,
  isRecorded: false,
});

/**
 * Whether the Job must end before its completions are reached, in this order: what was decided before, a failure policy,
 * the backoff limit, the deadline, failed indexes, a success policy.
 *
 * @spec k8s@1.36 pkg/controller/job/job_controller.go syncJob
 */
export function verdictOf(tally: Tally, now: Instant): Verdict | undefined {
  return (
    recorded(tally) ??
    policyFailure(tally) ??
    limitFailure(tally) ??
    deadlineFailure(tally, now) ??
    indexFailure(tally) ??
    policySuccess(tally)
  );
}

function recorded({ job }: Tally): Verdict | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = findCondition(job.status?.conditions, type);
    if (condition?.status !== "True") continue;
    const { reason = "", message = "" } = condition;
    return { type, reason, message, isRecorded: true };
  }
  return undefined;
}

function policyFailure({ spec, pods }: Tally): Verdict | undefined {
  if (!spec.podFailurePolicy) return undefined;
  for (const pod of pods) {
    if (!isPodFailed(pod, spec)) continue;
    const { message } = judgeFailure(spec.podFailurePolicy, pod);
    if (message !== undefined) return failure("PodFailurePolicy", message);
  }
  return undefined;
}

function limitFailure({ spec, pods, failed }: Tally): Verdict | undefined {
  const limit = spec.backoffLimit ?? Infinity;
  if (failed <= limit && !hasTooManyRestarts(spec, pods, limit)) return undefined;
  return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
}

/** With OnFailure it is containers that are tried again. @spec pastBackoffLimitOnFailure */
function hasTooManyRestarts(spec: JobSpec, pods: readonly Pod[], limit: number): boolean {
  if (spec.template?.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .flatMap(({ status }) => [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** When the Job has been active for too long; `undefined`: never. */
export function deadlineOf({ job, spec }: Tally): Instant | undefined {
  const start = job.status?.startTime;
  if (spec.activeDeadlineSeconds === undefined || start === undefined || spec.suspend)
    return undefined;
  return parseTime(start) + spec.activeDeadlineSeconds * 1000;
}

function deadlineFailure(tally: Tally, now: Instant): Verdict | undefined {
  const deadline = deadlineOf(tally);
  if (deadline === undefined || now < deadline) return undefined;
  return failure("DeadlineExceeded", "Job was active longer than specified deadline");
}

function indexFailure({ spec, failedIndexes, completedIndexes }: Tally): Verdict | undefined {
  if (!failedIndexes) return undefined;
  const failed = failedIndexes.size;
  if (failed > (spec.maxFailedIndexes ?? Infinity)) {
    return failure(
      "MaxFailedIndexesExceeded",
      "Job has exceeded the specified maximal number of failed indexes",
    );
  }
  const areAllSettled = failed + completedIndexes.size >= (spec.completions ?? 0);
  return failed > 0 && areAllSettled
    ? failure("FailedIndexes", "Job has failed indexes")
    : undefined;
}

/** @spec k8s@1.36 pkg/controller/job/success_policy.go matchSuccessPolicy */
function policySuccess({ spec, completedIndexes }: Tally): Verdict | undefined {
  if (!isIndexed(spec) || completedIndexes.size === 0) return undefined;
  const index = (spec.successPolicy?.rules ?? []).findIndex(
    ({ succeededIndexes, succeededCount = Infinity }) => {
      if (succeededIndexes === undefined) return completedIndexes.size >= succeededCount;
      const wanted = IndexSet.parse(succeededIndexes, spec.completions ?? 0);
      if (wanted.size === 0) return false;
      const met = wanted.overlap(completedIndexes);
      return met === wanted.size || met >= succeededCount;
    },
  );
  if (index < 0) return undefined;
  const message = `Matched rules at index ${index}`;
  return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message, isRecorded: false };
}
