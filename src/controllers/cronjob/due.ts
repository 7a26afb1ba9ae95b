import { parseTime, type Instant } from "../../base/clock.ts";
import type { CronJob } from "../../api/batch/cron-job.ts";
import type { Schedule } from "../../api/batch/cron-schedule.ts";

/** More missed runs than these are told of. @spec k8s@1.36 pkg/controller/cronjob mostRecentScheduleTime */
const MISSED_MAX = 100;

/** What a schedule asks for now. */
export interface Due {
  /** The latest time that has passed without a run; `undefined`: none has. */
  readonly at: Instant | undefined;
  readonly hasMissedMany: boolean;
  /** When to look again; `undefined`: the schedule never comes again. */
  readonly nextAt: Instant | undefined;
}

/** A schedule whose times cannot be told apart. The message is upstream's. */
export class Unschedulable extends Error {
  override readonly name = "Unschedulable";
}

/** @throws {Unschedulable} it comes never, or all the time. */
export function dueOf(cronJob: CronJob, schedule: Schedule, now: Instant): Due {
  const { startingDeadlineSeconds: deadline } = cronJob.spec ?? {};
  const since = earliestOf(cronJob);
  const floor = deadline === undefined ? since : Math.max(since, now - deadline * 1000);
  const { at, isMany } = latest(schedule, floor, now);
  return { at, hasMissedMany: isMany, nextAt: nextOf(schedule, since, now) };
}

/** From when runs are due: the last one, or the creation. */
function earliestOf({ metadata, status }: CronJob): Instant {
  return parseTime(status?.lastScheduleTime ?? metadata?.creationTimestamp ?? "");
}

interface Latest {
  readonly at: Instant | undefined;
  readonly isMany: boolean;
}

/**
 * The latest time in (`since`, `now`]. Missed ones are not gone through one by one: as many steps as fit, from the distance
 * of the first two, and then the rest.
 */
function latest(schedule: Schedule, since: Instant, now: Instant): Latest {
  const first = schedule.nextAfter(since);
  if (first === undefined) throw new Unschedulable(NEVER);
  if (now < first) return { at: undefined, isMany: false };
  const second = schedule.nextAfter(first) ?? Infinity;
  if (now < second) return { at: first, isMany: false };
  const stepMs = second - first;
  if (stepMs < 1000) throw new Unschedulable(NEVER);
  const missed = Math.floor((now - first) / stepMs) + 1;
  let at: Instant | undefined;
  let time = schedule.nextAfter(first + (missed - 2) * stepMs);
  for (; time !== undefined && time <= now; time = schedule.nextAfter(time)) at = time;
  return { at, isMany: missed > MISSED_MAX };
}

const NEVER = "time difference between two schedules is less than 1 second";

/** @spec nextScheduleTimeDuration */
function nextOf(schedule: Schedule, since: Instant, now: Instant): Instant | undefined {
  const { at } = latest(schedule, since, now);
  const first = schedule.nextAfter(since) ?? Infinity;
  const from = at ?? (now < first ? since : now);
  const next = schedule.nextAfter(from);
  return next !== undefined && next <= now ? schedule.nextAfter(now) : next;
}
