import { parseTime, type Instant } from "../../base/clock.ts";
import type { CronJob } from "../../api/batch/cron-job.ts";
import {
  isJobComplete,
  isJobFailed,
  isJobFinished,
  SCHEDULED_TIMESTAMP,
} from "../../api/batch/job-state.ts";
import type { Job } from "../../api/batch/job.ts";
import type { V1ObjectReference } from "../../gen/types.ts";

const MINUTE_MS = 60_000;

/** One name for each minute: a run is not created twice. @spec getJobName */
export function runName(cronJob: CronJob, at: Instant): string {
  return `${cronJob.metadata?.name}-${Math.floor(at / MINUTE_MS)}`;
}

/** A Job that the schedule asked for. Others of the CronJob were created by somebody (`kubectl create job --from`). */
export function isRun(cronJob: CronJob, job: Job): boolean {
  const at = parseTime(job.metadata?.annotations?.[SCHEDULED_TIMESTAMP] ?? "");
  return !Number.isNaN(at) && job.metadata?.name === runName(cronJob, at);
}

/** How the status names a Job that runs. */
export function referenceTo(job: Job): V1ObjectReference {
  const { namespace, name, uid, resourceVersion } = job.metadata ?? {};
  return {
    kind: "Job",
    apiVersion: "batch/v1",
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

/** Jobs beyond the history limits, the longest ago first. @spec cleanupFinishedJobs */
export function outdated({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  return [
    ...oldest(jobs.filter(isJobComplete), spec?.successfulJobsHistoryLimit),
    ...oldest(jobs.filter(isJobFailed), spec?.failedJobsHistoryLimit),
  ];
}

function oldest(jobs: readonly Job[], limit = Infinity): readonly Job[] {
  const surplus = jobs.length - limit;
  if (surplus <= 0) return [];
  const orderOf = ({ status, metadata }: Job): string =>
    `${status?.startTime ?? "~"} ${metadata?.name}`;
  return [...jobs].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)).slice(0, surplus);
}

/** The latest completion that is known; `undefined`: nothing has succeeded yet. */
export function lastSuccess({ status }: CronJob, jobs: readonly Job[]): string | undefined {
  return jobs
    .filter(isJobComplete)
    .map((job) => job.status?.completionTime)
    .reduce(
      (last, time) =>
        time !== undefined && (last === undefined || parseTime(time) > parseTime(last))
          ? time
          : last,
      status?.lastSuccessfulTime,
    );
}

/** True while a Job has not ended. */
export function isRunning(job: Job): boolean {
  return !isJobFinished(job);
}
