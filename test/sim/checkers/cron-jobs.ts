import type { V1CronJob, V1Job } from "../../../src/gen/types.ts";
import { CRON_MS } from "../workload/tidy-up.ts";
import type { Change, History } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { instantOf } from "./ready-since.ts";
import { isEnding, isOf } from "./replica-sets.ts";
import { Versions } from "./versions.ts";
import { keyOf, WorldState } from "./world-state.ts";

const CRON_JOBS = "batch/cronjobs";
const JOBS = "batch/jobs";
const SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const MINUTE_MS = 60_000;
/** How late a run may come when nothing is wrong, in ms. */
const LATE_MS = 5000;

/** One run, as far as somebody was told of it. */
interface Run {
  readonly job: V1Job;
  readonly madeAtMs: number;
  endedAtMs?: number;
  isGone?: boolean;
}

/**
 * A CronJob makes no second Job for one time, none while it is suspended, with Forbid none beside another that runs, with Replace none
 * before the others are told to end. Judged by what its controller may have read. At rest it keeps as many as its limits say, knows those
 * that run, and has missed no time while all was well.
 */
export const cronJobs: Checker = {
  name: "cron jobs",
  check({ changes, facts, heard }) {
    const versions = new Versions();
    const state = new WorldState();
    const runs = new Map<string, Map<string, Run>>();
    return changes.flatMap((change) => {
      state.apply(change);
      versions.note(change);
      const job = (change.object ?? change.old) as V1Job;
      if (change.resource !== JOBS || job.metadata?.annotations?.[SCHEDULED] === undefined)
        return [];
      const owner = job.metadata.ownerReferences?.find(({ controller }) => controller);
      const own = runs.get(owner?.uid ?? "") ?? new Map<string, Run>();
      runs.set(owner?.uid ?? "", own);
      const { uid = "", namespace = "" } = job.metadata;
      const known = own.get(uid);
      if (known && (!change.object || isEnding(job) || isFinished(job)))
        known.endedAtMs ??= change.atMs;
      if (known && !change.object) known.isGone = true;
      if (known || change.old) return [];
      own.set(uid, { job, madeAtMs: change.atMs });
      const since = change.atMs - facts.staleMs;
      const read = versions
        .of<V1CronJob>(CRON_JOBS, `${namespace}/${owner?.name}`, since)
        .filter((one): one is V1CronJob => one?.metadata?.uid === owner?.uid);
      const isKnown = ({ job: { metadata }, madeAtMs }: Run): boolean =>
        heard === undefined || heard.has(metadata?.uid ?? "") || madeAtMs < since;
      const others = [...own.values()].filter((run) => run.job !== job && isKnown(run));
      return wrong(job, read, others).map((what) => `${change.key} at ${change.revision}: ${what}`);
    });
  },
  checkAtRest(history) {
    const state = WorldState.after(history.changes);
    const all = state.list<V1CronJob>(CRON_JOBS).filter((one) => !isEnding(one));
    return all.flatMap((cronJob) => {
      const own = state.list<V1Job>(JOBS).filter((job) => isOf(job, cronJob));
      const problems = [...kept(cronJob, own), ...known(cronJob, own), ...missed(cronJob, history)];
      return problems.map((problem) => `${keyOf(cronJob)}: ${problem}`);
    });
  },
};

/** `read`: what the CronJob may have been read as. `others`: its runs that its controller knew of. */
function wrong(job: V1Job, read: readonly V1CronJob[], others: readonly Run[]): readonly string[] {
  const at = job.metadata?.annotations?.[SCHEDULED] ?? "";
  const isAgain = read.every(
    ({ status }) => Date.parse(status?.lastScheduleTime ?? "") >= Date.parse(at),
  );
  // One that was taken away before the status had its time may come again, as upstream's does.
  const isTwin = ({ job: { metadata }, isGone }: Run): boolean =>
    metadata?.annotations?.[SCHEDULED] === at && !isGone;
  const all = (policy: string): boolean =>
    read.every(({ spec }) => (spec?.concurrencyPolicy ?? "Allow") === policy);
  const running = others.filter(({ endedAtMs }) => endedAtMs === undefined);
  const names = running.map(({ job: { metadata } }) => metadata?.name).join(" ");
  return [
    ...(isAgain && read.length > 0 ? [`it is made for ${at}, which was dealt with`] : []),
    ...(others.some(isTwin) ? [`it is made for ${at} for the second time`] : []),
    ...(read.length > 0 && read.every(({ spec }) => spec?.suspend) ? ["it is suspended"] : []),
    ...(read.length > 0 && all("Forbid") && names ? [`it is made while ${names} runs`] : []),
    ...(read.length > 0 && all("Replace") && names ? [`it is made before ${names} ends`] : []),
  ];
}

function isFinished({ status }: V1Job): boolean {
  return isEnded(status, "Complete") || isEnded(status, "Failed");
}

function isEnded(status: V1Job["status"], as: "Complete" | "Failed"): boolean {
  return status?.conditions?.find(({ type }) => type === as)?.status === "True";
}

function kept({ spec }: V1CronJob, own: readonly V1Job[]): readonly string[] {
  const limits = [
    ["Complete", spec?.successfulJobsHistoryLimit ?? 3],
    ["Failed", spec?.failedJobsHistoryLimit ?? 1],
  ] as const;
  return limits.flatMap(([as, limit]) => {
    const count = own.filter(({ status }) => isEnded(status, as)).length;
    return count > limit ? [`${count} of its Jobs are ${as}, ${limit} are kept`] : [];
  });
}

/** Those that others made of its template are not its own. */
function known({ status }: V1CronJob, own: readonly V1Job[]): readonly string[] {
  const names = (list: readonly (string | undefined)[]): string => [...list].sort().join(" ");
  const is = names((status?.active ?? []).map(({ name }) => name));
  const due = names(own.filter((job) => !isFinished(job)).map(({ metadata }) => metadata?.name));
  return is === due ? [] : [`status.active ${is || "none"}, due ${due || "none"}`];
}

/** While all was well until users suspended it, one that is due each minute has dealt with each. By a clock that was set nobody can tell. */
function missed(cronJob: V1CronJob, { changes, facts }: History): readonly string[] {
  const { spec, status, metadata } = cronJob;
  const own = changes.filter(({ object }) => object?.metadata?.uid === metadata?.uid);
  const stopped = own.findLast(isStop);
  const changed = own.findLast((change) => change !== stopped && isOther(change));
  const from = Math.max(facts.healedAtMs ?? Infinity, changed?.atMs ?? Infinity);
  const until = stopped?.atMs ?? 0;
  const isOpen = spec?.concurrencyPolicy === "Allow" && spec.schedule === "* * * * *";
  if (!isOpen || facts.clocksWereSet || until - from < CRON_MS - LATE_MS) return [];
  const due = Math.floor(instantOf(until - LATE_MS) / MINUTE_MS) * MINUTE_MS;
  const last = Date.parse(status?.lastScheduleTime ?? "");
  return last >= due ? [] : [`it was last run for ${status?.lastScheduleTime ?? "no time"}`];
}

function isStop({ old, object }: Change): boolean {
  const isSuspended = (one: Change["object"]): boolean =>
    (one as V1CronJob)?.spec?.suspend === true;
  return old !== undefined && !isSuspended(old) && isSuspended(object);
}

function isOther({ old, object }: Change): boolean {
  return old?.metadata?.generation !== object?.metadata?.generation;
}
