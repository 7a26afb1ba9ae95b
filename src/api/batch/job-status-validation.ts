import { parseTime } from "../../base/clock.ts";
import type { V1Job, V1JobStatus } from "../../gen/types.ts";
import { isConditionTrue } from "../machinery/conditions.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { duplicate, invalid, required } from "../machinery/field-error.ts";
import { each, nonNegative, when, type Errors } from "../strategy/checks.ts";
import { countIndexes, IndexSet } from "./index-set.ts";
import { isIndexed, isJobComplete, isJobFailed, isJobFinished } from "./job-state.ts";

/** A refusal that names no value: of the conditions. */
const refusal = (isWrong: boolean, rule: string): Errors =>
  when(isWrong, invalid("status.conditions", undefined, rule));

/**
 * A status that can follow the stored one. Most rules hold for what the update changes only, so that a Job whose status
 * breaks one can still be updated otherwise.
 *
 * @spec k8s@1.36 pkg/apis/batch/validation ValidateJobStatusUpdate; pkg/registry/batch/job/strategy.go getStatusValidationOptions
 */
export function validateJobStatus(job: V1Job, old: V1Job): Errors {
  return [
    ...validateCounts(job.status ?? {}),
    ...validateConditions(job, old),
    ...validateTimes(job, old),
    ...validateEnd(job, old),
    ...validateIndexes(job, old),
    ...validateMonotonic(job, old),
  ];
}

function validateCounts(status: V1JobStatus): Errors {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const path = "status.uncountedTerminatedPods";
  const seen = new Set<string>();
  const validateUid = (uid: string, field: string): Errors => {
    if (uid === "") return [invalid(field, uid, "must not be empty")];
    if (seen.has(uid)) return [duplicate(field, uid)];
    seen.add(uid);
    return [];
  };
  return [
    ...nonNegative("status.active", status.active),
    ...nonNegative("status.succeeded", status.succeeded),
    ...nonNegative("status.failed", status.failed),
    ...nonNegative("status.ready", status.ready),
    ...nonNegative("status.terminating", status.terminating),
    ...each(succeeded, `${path}.succeeded`, validateUid),
    ...each(failed, `${path}.failed`, validateUid),
  ];
}

function has({ status }: V1Job, type: string): boolean {
  return isConditionTrue(status?.conditions, type);
}

function validateConditions(job: V1Job, old: V1Job): Errors {
  const changes = (type: string): boolean => has(job, type) !== has(old, type);
  const [isComplete, isFailed] = [isJobComplete(job), isJobFailed(job)];
  const [isTarget, isMet] = [has(job, "FailureTarget"), has(job, "SuccessCriteriaMet")];
  const completes = changes("Complete");
  return [
    ...refusal(
      (completes || changes("Failed")) && isComplete && isFailed,
      "cannot set Complete=True and Failed=true conditions",
    ),
    ...refusal(
      (completes || changes("FailureTarget")) && isComplete && isTarget,
      "cannot set Complete=True and FailureTarget=true conditions",
    ),
    ...refusal(
      (changes("Failed") || changes("FailureTarget")) && isFailed && !isTarget,
      "cannot set Failed=True condition without the FailureTarget=true condition",
    ),
    ...refusal(
      (completes || changes("SuccessCriteriaMet")) && isComplete && !isMet,
      "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    ),
    ...refusal(isMet && isFailed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
    ...refusal(
      isMet && isTarget,
      "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    ),
    ...["Failed", "Complete", "FailureTarget"].flatMap((type) =>
      refusal(
        has(old, type) && !has(job, type),
        `cannot disable the terminal ${type}=True condition`,
      ),
    ),
    ...refusal(
      has(old, "SuccessCriteriaMet") && !isMet,
      "cannot disable the SuccessCriteriaMet=True condition",
    ),
    ...refusal(
      isJobComplete(old) && !has(old, "SuccessCriteriaMet") && isMet,
      "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
    ),
  ];
}

function validateTimes(job: V1Job, old: V1Job): Errors {
  const { startTime: start, completionTime: end } = job.status ?? {};
  const { startTime: oldStart, completionTime: oldEnd } = old.status ?? {};
  const isEndJudged = isJobComplete(job) !== isJobComplete(old) || end !== oldEnd;
  const path = "status.completionTime";
  return [
    ...when(
      isEndJudged && end !== undefined && !isJobComplete(job),
      invalid(path, end, "cannot set completionTime when there is no Complete=True condition"),
    ),
    ...when(
      isEndJudged && end === undefined && isJobComplete(job),
      required(path, "completionTime is required for Complete jobs"),
    ),
    ...when(
      (start !== oldStart || end !== oldEnd) &&
        start !== undefined &&
        end !== undefined &&
        parseTime(end) < parseTime(start),
      invalid(path, end, "completionTime cannot be set before startTime"),
    ),
    ...when(
      end !== undefined && oldEnd !== undefined && end !== oldEnd,
      invalid(path, end, "completionTime cannot be mutated"),
    ),
    ...when(
      oldStart !== undefined && start !== oldStart && !job.spec?.suspend,
      required("status.startTime", "startTime cannot be removed for unsuspended job"),
    ),
  ];
}

/** What a Job that has ended may no longer have. */
function validateEnd(job: V1Job, old: V1Job): Errors {
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  const { active = 0, ready = 0, terminating = 0, uncountedTerminatedPods: uncounted } = status;
  const isFinished = isJobFinished(job);
  const ends = isFinished !== isJobFinished(old);
  const uids = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0);
  return [
    ...when(
      (ends || active !== (before.active ?? 0)) && active > 0 && isFinished,
      invalid("status.active", active, "active>0 is invalid for finished job"),
    ),
    ...when(
      (ends || status.startTime !== before.startTime) && !status.startTime && isFinished,
      required("status.startTime", "startTime is required for finished job"),
    ),
    ...when(
      (ends || !equalSemantic(uncounted, before.uncountedTerminatedPods)) && isFinished && uids > 0,
      invalid(
        "status.uncountedTerminatedPods",
        uncounted,
        "uncountedTerminatedPods needs to be empty for finished job",
      ),
    ),
    ...when(
      (ends || terminating !== (before.terminating ?? 0)) && terminating > 0 && isFinished,
      invalid("status.terminating", terminating, "terminating>0 is invalid for finished job"),
    ),
    ...when(
      (ready !== (before.ready ?? 0) || active !== (before.active ?? 0)) && ready > active,
      invalid("status.ready", ready, "cannot set more ready pods than active"),
    ),
  ];
}

function validateIndexes({ spec, status = {} }: V1Job, old: V1Job): Errors {
  const { completedIndexes: completed = "", failedIndexes: failed } = status;
  const { completedIndexes: oldCompleted = "", failedIndexes: oldFailed } = old.status ?? {};
  const [isCompletedNew, isFailedNew] = [completed !== oldCompleted, failed !== oldFailed];
  const { completions, backoffLimitPerIndex } = spec ?? {};
  const [completedPath, failedPath] = ["status.completedIndexes", "status.failedIndexes"];
  const problemOf = (text: string): string | undefined => {
    const counted = completions === undefined ? undefined : countIndexes(text, completions);
    return counted && "problem" in counted ? counted.problem : undefined;
  };
  const completedProblem = isCompletedNew ? problemOf(completed) : undefined;
  const failedProblem =
    isFailedNew && backoffLimitPerIndex !== undefined ? problemOf(failed ?? "") : undefined;
  const both = (isCompletedNew || isFailedNew) && completions !== undefined && failed;
  const overlap = both
    ? IndexSet.parse(failed, completions).firstCommon(IndexSet.parse(completed, completions))
    : undefined;
  return [
    ...when(
      completedProblem !== undefined,
      invalid(completedPath, completed, `error parsing completedIndexes: ${completedProblem}`),
    ),
    ...when(
      failedProblem !== undefined,
      invalid(failedPath, failed, `error parsing failedIndexes: ${failedProblem}`),
    ),
    ...when(
      isCompletedNew && completed !== "" && !isIndexed(spec),
      invalid(
        completedPath,
        completed,
        "cannot set non-empty completedIndexes when non-indexed completion mode",
      ),
    ),
    ...when(
      isFailedNew && backoffLimitPerIndex === undefined && failed !== undefined,
      invalid(
        failedPath,
        failed,
        "cannot set non-null failedIndexes when backoffLimitPerIndex is null",
      ),
    ),
    ...when(
      overlap !== undefined,
      invalid(
        failedPath,
        failed,
        `failedIndexes and completedIndexes overlap at index: ${overlap}`,
      ),
    ),
  ];
}

/** Counts only grow, except that an Indexed Job whose completions follow its parallelism may shrink. */
function validateMonotonic({ spec, status = {} }: V1Job, old: V1Job): Errors {
  const { failed = 0, succeeded = 0 } = status;
  const before = old.status ?? {};
  const mayShrink = isIndexed(spec) && spec?.completions === spec?.parallelism;
  return [
    ...when(
      failed < (before.failed ?? 0),
      invalid("status.failed", failed, "cannot decrease the failed counter"),
    ),
    ...when(
      !mayShrink && succeeded < (before.succeeded ?? 0),
      invalid("status.succeeded", succeeded, "cannot decrease the succeeded counter"),
    ),
  ];
}
