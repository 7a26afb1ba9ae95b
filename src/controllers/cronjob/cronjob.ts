import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import { TimeZone } from "../../base/time-zone.ts";
import { NoSchedule } from "../../api/batch/cron-fields.ts";
import { CronJob } from "../../api/batch/cron-job.ts";
import { parseSchedule, type Schedule } from "../../api/batch/cron-schedule.ts";
import { isJobComplete, isJobFinished, SCHEDULED_TIMESTAMP } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { CacheReader } from "../../client/cache.ts";
import {
  defineController,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
} from "../../reconciler/controller.ts";
import { controllerReference, isBeingDeleted, ownersOf } from "../../reconciler/ownership.ts";
import { dueOf, Unschedulable, type Due } from "./due.ts";
import { isRun, isRunning, lastSuccess, outdated, referenceTo, runName } from "./runs.ts";
import { skewMeter } from "./skew.ts";

/** `jobs`: those that the CronJob controls. */
export interface Observed {
  readonly cronJob: CronJob;
  readonly jobs: readonly Job[];
}

type CronJobStatus = NonNullable<CronJob["status"]>;

/**
 * Creates Jobs when they are due.
 *
 * Nothing polls: each CronJob is woken at its next time, and by changes of itself and its Jobs.
 * @invariant at most one Job for each due time.
 * @spec k8s@1.36 pkg/controller/cronjob/cronjob_controllerv2.go
 */
export const cronJobController = defineController<CronJob, Observed>({
  name: "cronjob-controller",
  primary: CronJob,
  triggers: [ownersOf(Job, CronJob)],
  meter: skewMeter,
  observe(cache: CacheReader, key) {
    const cronJob = cache.get(CronJob, key);
    const controllerUid = cronJob?.metadata?.uid;
    if (!cronJob?.spec || controllerUid === undefined) return undefined;
    return { cronJob, jobs: cache.list(Job, { namespace: key.namespace, controllerUid }) };
  },
  plan,
});

/** What a step adds to the plan. */
interface Step {
  readonly writes: readonly PlannedWrite[];
  readonly events: readonly PlannedEvent[];
}

const NOTHING: Step = { writes: [], events: [] };

/** Pure; see {@link cronJobController}. */
export function plan({ cronJob, jobs }: Observed, now: Instant): Plan {
  const old = outdated(cronJob, jobs);
  const kept = jobs.filter((job) => !old.includes(job));
  const running = kept.filter((job) => isRunning(job) && isRun(cronJob, job));
  const history = deletion(old);
  const seen = changesSeen(cronJob, jobs, running);
  const decision = decide({ cronJob, jobs, running }, now);
  const { step = NOTHING, replaced = [], scheduledAt, nextAt } = decision;
  const status = statusOf(
    cronJob,
    jobs,
    running.filter((job) => !replaced.includes(job)),
  );
  const writes = [...history.writes, ...step.writes];
  const shifted = step.events.map((event) => shift(event, history.writes.length));
  const scheduled =
    scheduledAt === undefined ? status : { ...status, lastScheduleTime: formatTime(scheduledAt) };
  return {
    ...withTold(cronJob, writes, scheduled, seen),
    events: [...history.events, ...shifted, ...toldAfter(seen, writes.length)],
    statusOnFailure: () => status,
    ...(nextAt !== undefined && { wakeAt: nextAt }),
  };
}

function shift(event: PlannedEvent, by: number): PlannedEvent {
  return event.afterWrite === undefined ? event : { ...event, afterWrite: event.afterWrite + by };
}

/** What is told of the status is told only when it stands. */
function withTold(
  cronJob: CronJob,
  writes: readonly PlannedWrite[],
  status: CronJobStatus,
  seen: readonly PlannedEvent[],
): Plan {
  if (seen.length === 0) return { writes, status };
  const object = { ...cronJob, status };
  return { writes: [...writes, { verb: "update", kind: CronJob, object, subresource: "status" }] };
}

function toldAfter(seen: readonly PlannedEvent[], afterWrite: number): readonly PlannedEvent[] {
  return seen.map((event) => ({ ...event, afterWrite }));
}

/** Runs that have ended or are gone since the status was written. */
function changesSeen(
  { status }: CronJob,
  jobs: readonly Job[],
  running: readonly Job[],
): readonly PlannedEvent[] {
  const byUid = new Map(jobs.map((job) => [job.metadata?.uid, job]));
  const runningUids = new Set(running.map(({ metadata }) => metadata?.uid));
  return (status?.active ?? []).flatMap(({ uid, name }): PlannedEvent[] => {
    if (runningUids.has(uid)) return [];
    const job = byUid.get(uid);
    if (!job) return [normal("MissingJob", `Active job went missing: ${name}`)];
    if (!isJobFinished(job)) return [];
    const end = isJobComplete(job) ? "Complete" : "Failed";
    return [normal("SawCompletedJob", `Saw completed job: ${name}, status: ${end}`)];
  });
}

function normal(reason: string, message: string): PlannedEvent {
  return { type: "Normal", reason, message };
}

function warning(reason: string, message: string): PlannedEvent {
  return { type: "Warning", reason, message };
}

/** Those that were running keep their order; new ones follow. */
function statusOf(cronJob: CronJob, jobs: readonly Job[], running: readonly Job[]): CronJobStatus {
  const { status } = cronJob;
  const known = (status?.active ?? []).filter(({ uid }) =>
    running.some(({ metadata }) => metadata?.uid === uid),
  );
  const fresh = running.filter(({ metadata }) => !known.some(({ uid }) => uid === metadata?.uid));
  const active = [...known, ...fresh.map(referenceTo)];
  const lastSuccessfulTime = lastSuccess(cronJob, jobs);
  return {
    ...(active.length > 0 && { active }),
    ...(status?.lastScheduleTime !== undefined && { lastScheduleTime: status.lastScheduleTime }),
    ...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }),
  };
}

interface Situation extends Observed {
  /** Runs that have not ended. */
  readonly running: readonly Job[];
}

interface Decision {
  readonly step?: Step;
  /** Runs that make way. */
  readonly replaced?: readonly Job[];
  /** The time that is dealt with now. */
  readonly scheduledAt?: Instant;
  readonly nextAt?: Instant | undefined;
}

const tell = (...events: readonly PlannedEvent[]): Step => ({ writes: [], events });

/** @spec syncCronJob */
function decide(situation: Situation, now: Instant): Decision {
  const { cronJob, jobs } = situation;
  const { timeZone, suspend } = cronJob.spec!;
  const strangers = jobs
    .filter((job) => isRunning(job) && !isRun(cronJob, job))
    .map(({ metadata }) =>
      warning(
        "UnexpectedJob",
        `Saw a job that the controller did not create or forgot: ${metadata?.name}`,
      ),
    );
  if (isBeingDeleted(cronJob)) return {};
  const zone = timeZone === undefined ? TimeZone.utc : TimeZone.find(timeZone);
  if (!zone) {
    const quoted = JSON.stringify(timeZone);
    const message = `invalid timeZone: ${quoted}: unknown time zone ${timeZone}`;
    return { step: tell(...strangers, warning("UnknownTimeZone", message)) };
  }
  if (suspend) return { step: tell(...strangers) };
  const due = dueNow(cronJob, zone, now);
  if ("problem" in due) return { step: tell(...strangers, due.problem) };
  const decision = start(situation, zone, due, now);
  const { writes, events } = decision.step ?? NOTHING;
  return { ...decision, step: { writes, events: [...events, ...strangers] }, nextAt: due.nextAt };
}

function dueNow(cronJob: CronJob, zone: TimeZone, now: Instant): Due | { problem: PlannedEvent } {
  const { schedule: text } = cronJob.spec!;
  let schedule: Schedule;
  try {
    schedule = parseSchedule(text, zone);
    return dueOf(cronJob, schedule, now);
  } catch (error) {
    if (error instanceof NoSchedule) {
      const message = `unparseable schedule: ${JSON.stringify(text)} : ${error.message}`;
      return { problem: warning("UnparseableSchedule", message) };
    }
    if (error instanceof Unschedulable) {
      return {
        problem: warning("InvalidSchedule", `invalid schedule: ${text} : ${error.message}`),
      };
    }
    throw error;
  }
}

function start(
  { cronJob, jobs, running }: Situation,
  zone: TimeZone,
  due: Due,
  now: Instant,
): Decision {
  const { startingDeadlineSeconds: deadline = Infinity, concurrencyPolicy } = cronJob.spec!;
  const { at } = due;
  if (at === undefined) return {};
  const events = due.hasMissedMany ? [warning("TooManyMissedTimes", TOO_MANY)] : [];
  if (at + deadline * 1000 < now) {
    const missed = new Date(at).toUTCString().replace("GMT", "+0000");
    const message = `Missed scheduled time to start a job: ${missed}`;
    return { step: tell(...events, warning("MissSchedule", message)) };
  }
  const { lastScheduleTime } = cronJob.status ?? {};
  if (lastScheduleTime !== undefined && parseTime(lastScheduleTime) === at) return {};
  const name = runName(cronJob, at);
  // Created before the status could be written.
  if (jobs.some(({ metadata }) => metadata?.name === name)) return { scheduledAt: at };
  if (concurrencyPolicy === "Forbid" && running.length > 0) {
    return { step: tell(...events, normal("JobAlreadyActive", ALREADY_ACTIVE)) };
  }
  const replaced = concurrencyPolicy === "Replace" ? running : [];
  const removal = deletion(replaced);
  const object = runFromTemplate(cronJob, name, zone.formatAt(at));
  const afterWrite = removal.writes.length;
  const step = {
    writes: [...removal.writes, { verb: "create", kind: Job, object, mayExist: true } as const],
    events: [
      ...events,
      ...removal.events,
      { ...normal("SuccessfulCreate", "Created job {name}"), afterWrite },
      { ...warning("FailedCreate", "Error creating job: {error}"), afterWrite, onFailure: true },
    ],
  };
  return { step, replaced, scheduledAt: at };
}

const TOO_MANY =
  "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
const ALREADY_ACTIVE =
  "Not starting job because prior execution is running and concurrency policy is Forbid";

/** @spec getJobFromTemplate2 */
function runFromTemplate(cronJob: CronJob, name: string, scheduledFor: string): Job {
  const { metadata, spec } = cronJob.spec!.jobTemplate;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: cronJob.metadata?.namespace ?? "",
      ...(metadata?.labels && { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [SCHEDULED_TIMESTAMP]: scheduledFor },
      ownerReferences: [controllerReference(CronJob, cronJob)],
    },
    ...(spec && { spec }),
  };
}

function deletion(jobs: readonly Job[]): Step {
  return {
    writes: jobs.map((job) => ({
      verb: "delete",
      kind: Job,
      key: keyOf(job),
      ifUid: job.metadata?.uid ?? "",
      propagation: "Background",
    })),
    events: jobs.flatMap(({ metadata }, afterWrite): PlannedEvent[] => [
      { ...normal("SuccessfulDelete", `Deleted job ${metadata?.name}`), afterWrite },
      { ...warning("FailedDelete", "Deleted job: {error}"), afterWrite, onFailure: true },
    ]),
  };
}
