import type { Instant } from "../../base/clock.ts";
import { isJobFinished, isManagedElsewhere, JOB_TRACKING } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import { Namespace } from "../../api/core/namespace.ts";
import { Pod } from "../../api/core/pod.ts";
import { formatKey, keyOf, parseKey, type ObjectKey } from "../../api/machinery/object.ts";
import type { Cache, CacheChange, CacheReader } from "../../client/cache.ts";
import {
  defineController,
  type Controller,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
  type Trigger,
} from "../../reconciler/controller.ts";
import {
  claim,
  claimable,
  controllerOf,
  isBeingDeleted,
  ownersOf,
  selectorsMatching,
} from "../../reconciler/ownership.ts";
import { podEvents } from "../../reconciler/pod-events.ts";
import { loopOf, type Loop } from "../../reconciler/runner.ts";
import { matcherOf } from "../../reconciler/selection.ts";
import { GoneFailures, type Failure } from "./backoff.ts";
import { jobMeter } from "./job-metrics.ts";
import { isTracked, untrack } from "./job-pods.ts";
import { countsOf, progressOf, trackingOf, type JobStatus, type Outlook } from "./job-status.ts";
import { endAll, managePods, writesOf, type PodSteps } from "./pod-steps.ts";
import { tallyOf, type Tally } from "./tally.ts";
import { COMPLETIONS_REACHED, deadlineOf, verdictOf, type Verdict } from "./verdict.ts";

/** Before the key of a Pod whose Job will not count it any more. No Job's key has a blank. */
const ORPHAN = "orphan ";

/** `pods`: those that the Job controls, and uncontrolled ones of its namespace. `gone`: failures of Pods that are no more. */
export interface Observed {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly gone: readonly Failure[];
  /** Its namespace is being emptied, Pods before Jobs: no Pod may wait for a replacement. */
  readonly isPlaceEnding?: boolean;
}

/**
 * Runs Pods until enough of them have succeeded, or the Job has failed.
 *
 * Flow: an ended Pod stays (finalizer) until its uid, or its index, is in the status; then it is let go; then it is
 * counted. Each is a step of its own, so a crash between any two counts nothing twice and loses nothing.
 * Guarantees: Complete or Failed comes last, when no Pod of the Job runs and all are counted.
 * @invariant only Pods whose controller uid is the Job's uid are deleted.
 * @spec k8s@1.36 pkg/controller/job/job_controller.go
 */
export function jobLoop(cache: Cache): Loop {
  const gone = new GoneFailures();
  const loop = loopOf(jobController(gone), cache);
  return {
    ...loop,
    keysOf(change) {
      if (change.kind === Pod) noteFailure(cache, gone, change as CacheChange<Pod>);
      else if (!change.object) gone.forget(change.old?.metadata?.uid ?? "");
      return [...loop.keysOf(change), ...orphansOf(cache, change)];
    },
    decide(key, now) {
      if (!key.startsWith(ORPHAN)) return loop.decide(key, now);
      const pod = cache.get(Pod, parseKey(key.slice(ORPHAN.length)));
      return pod && isOrphan(cache, pod) ? { plan: { writes: [untrack(pod)] } } : undefined;
    },
  };
}

function jobController(gone: GoneFailures): Controller<Job, Observed> {
  return defineController<Job, Observed>({
    name: "job-controller",
    primary: Job,
    triggers: [
      ownersOf(Pod, Job),
      selectorsMatching(Pod, Job, (job) => matcherOf(job.spec?.selector)),
      endOfNamespace,
    ],
    meter: jobMeter,
    observe: (cache, key) => observe(cache, key, gone),
    plan,
  });
}

const endOfNamespace: Trigger = {
  kind: Namespace,
  keys: ({ key, object }, cache) =>
    object && isBeingDeleted(object) ? cache.list(Job, { namespace: key.name }).map(keyOf) : [],
};

function observe(cache: CacheReader, key: ObjectKey, failures: GoneFailures): Observed | undefined {
  const job = cache.get(Job, key);
  const uid = job?.metadata?.uid;
  if (!job?.spec || uid === undefined || isManagedElsewhere(job)) return undefined;
  if (isJobFinished(job)) {
    failures.forget(uid);
    return undefined;
  }
  const { namespace } = key;
  const place = cache.get(Namespace, { namespace: "", name: namespace });
  const isPlaceEnding = place !== undefined && isBeingDeleted(place);
  const pods = claimable(cache, Pod, namespace, uid);
  return { job, pods, gone: failures.of(uid), isPlaceEnding };
}

/** The Job that a Pod belongs to, if it is there. */
function jobOf(cache: CacheReader, pod: Pod): Job | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== Job.kind) return undefined;
  const job = cache.get(Job, { namespace: pod.metadata?.namespace ?? "", name: owner.name });
  return job?.metadata?.uid === owner.uid ? job : undefined;
}

function noteFailure(cache: CacheReader, gone: GoneFailures, change: CacheChange<Pod>): void {
  const job = jobOf(cache, change.object ?? change.old!);
  if (job?.spec && !isJobFinished(job)) gone.note(job.spec, change);
}

/** Pods that wait for a Job that is gone, has ended, or has released them. */
function orphansOf(cache: CacheReader, { kind, key, old, object }: CacheChange): readonly string[] {
  const nameOf = (pod: Pod): string => ORPHAN + formatKey(keyOf(pod));
  if (kind === Pod) {
    const pod = object as Pod | undefined;
    return pod && isOrphan(cache, pod) ? [nameOf(pod)] : [];
  }
  const job = object as Job | undefined;
  if (job && !isJobFinished(job)) return [];
  const controllerUid = (job ?? old)?.metadata?.uid ?? "-";
  const pods = cache.list(Pod, { namespace: key.namespace, controllerUid });
  return pods.filter((pod) => isOrphan(cache, pod)).map(nameOf);
}

/** @spec syncOrphanPod */
function isOrphan(cache: CacheReader, pod: Pod): boolean {
  if (!isTracked(pod)) return false;
  const owner = controllerOf(pod);
  if (!owner) return true;
  if (owner.kind !== Job.kind || !owner.apiVersion.startsWith("batch/")) return false;
  const job = jobOf(cache, pod);
  return !job || (isJobFinished(job) && !isManagedElsewhere(job));
}

/** Pure; see {@link jobLoop}. */
export function plan({ job, pods, gone, isPlaceEnding }: Observed, now: Instant): Plan {
  const matches = matcherOf(job.spec?.selector);
  const claimer = { kind: Job, object: job, matches, finalizer: JOB_TRACKING };
  const { owned, writes: claims } = claim(Pod, claimer, pods);
  // What is counted depends on finalizers, which adoption changes.
  if (claims.length > 0) return { writes: claims };
  const tally = tallyOf(job, job.spec!, owned, isPlaceEnding);
  const given = verdictOf(tally, now);
  const steps = given ? endAll(tally) : managePods(tally, gone, now);
  const verdict = given ?? (isReached(tally, steps) ? COMPLETIONS_REACHED : undefined);
  const tracking = trackingOf(tally, verdict);
  const outlook = outlookOf(tally, steps);
  const isEnded =
    tracking.isSettled &&
    outlook.active.length + outlook.createdCount + outlook.terminatingCount === 0;
  const { status, events } = progressOf(tally, verdict, isEnded, now);
  const podWrites = [...tracking.released.map(untrack), ...writesOf(steps)];
  const wakeAt = earliest(steps.wakeAt, verdict ? undefined : deadlineOf(tally));
  return {
    ...writeStatus(job, podWrites, { ...countsOf(tally, tracking, outlook), ...status }, events),
    statusOnFailure: () => statusAsIs(tally, given, now),
    ...(wakeAt !== undefined && { wakeAt }),
  };
}

/** Enough have succeeded, and no Pod is left that could change that. */
function isReached({ spec, succeeded, active }: Tally, { created, deleted }: PodSteps): boolean {
  const remaining = active.length + created.length - deleted.length;
  const { completions } = spec;
  return remaining === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
}

function outlookOf({ active, terminating }: Tally, { created, deleted }: PodSteps): Outlook {
  const going = new Set(deleted);
  return {
    active: active.filter((pod) => !going.has(pod)),
    createdCount: created.length,
    terminatingCount: terminating.length + deleted.length,
  };
}

/** When Pods could not be written: counts of what is there, and nothing decided that is not yet. */
function statusAsIs(tally: Tally, given: Verdict | undefined, now: Instant): JobStatus {
  const verdict = given?.isRecorded ? given : undefined;
  const { active, terminating } = tally;
  const outlook = { active, createdCount: 0, terminatingCount: terminating.length };
  const { status } = progressOf(tally, verdict, false, now);
  return { ...countsOf(tally, trackingOf(tally, verdict), outlook), ...status };
}

/** What is told of the status is told only when it stands. */
function writeStatus(
  job: Job,
  podWrites: readonly PlannedWrite[],
  status: JobStatus,
  events: readonly PlannedEvent[],
): Plan {
  const told = podEvents(podWrites);
  if (events.length === 0) return { writes: podWrites, status, events: told };
  const object = { ...job, status };
  const afterWrite = podWrites.length;
  return {
    writes: [...podWrites, { verb: "update", kind: Job, object, subresource: "status" }],
    events: [...told, ...events.map((event) => ({ ...event, afterWrite }))],
  };
}

function earliest(...times: readonly (Instant | undefined)[]): Instant | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
