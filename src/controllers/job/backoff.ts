import { backoffMs } from "../../base/backoff.ts";
import type { Instant } from "../../base/clock.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { CacheChange } from "../../client/cache.ts";
import { controllerOf } from "../../reconciler/ownership.ts";
import { endedAt, isPodFailed, isTracked, type JobSpec } from "./job-pods.ts";

/**
 * How long a Job waits before it replaces a failed Pod. @spec k8s@1.36 DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff.
 * Doubling doubles how long a Job needs to give up.
 */
const REPLACEMENT = { firstMs: 10_000, ceilingMs: 600_000 };

/** Failures remembered for a Job: with these the wait has reached its ceiling. */
const FAILURES_MAX = 8;

/** One failed Pod. */
export interface Failure {
  readonly uid: string;
  readonly at: Instant;
}

/**
 * When the Pod after `failures` failed ones may come.
 *
 * One that has failed in a future beyond all waiting did so by a clock that was set right since: nobody knows how long ago that was, and a
 * Job must not stand still till that time comes, as upstream's does.
 */
export function replacementAt(failures: number, lastAt: Instant, now: Instant): Instant {
  const isUnknown = lastAt > now + REPLACEMENT.ceilingMs;
  return failures === 0 || isUnknown ? -Infinity : lastAt + backoffMs(REPLACEMENT, failures);
}

/**
 * When a Job may create its next Pod: failures since its last success count, those of Pods that are there and those of
 * Pods that are gone.
 *
 * @spec k8s@1.36 pkg/controller/job/backoff_utils.go newBackoffRecord
 */
export function nextPodAt(
  spec: JobSpec,
  pods: readonly Pod[],
  gone: readonly Failure[],
  now: Instant,
): Instant {
  const ends = new Map(gone.map(({ uid, at }) => [uid, at]));
  let lastSuccess = -Infinity;
  for (const pod of pods) {
    const { phase } = pod.status ?? {};
    if (phase === "Succeeded") lastSuccess = Math.max(lastSuccess, endedAt(pod));
    else if (phase === "Failed" || (isTracked(pod) && isPodFailed(pod, spec)))
      ends.set(pod.metadata?.uid ?? "", endedAt(pod));
  }
  const since = [...ends.values()].filter((at) => at > lastSuccess);
  return replacementAt(since.length, Math.max(...since, -Infinity), now);
}

/**
 * Remembers failures of Pods that are gone, by the uid of their Job: a Pod that is evicted and removed must not be
 * replaced at once, again and again.
 *
 * Lost with the process, as upstream's record is; Pods that are still there are counted all the same.
 */
export class GoneFailures {
  readonly #byJob = new Map<string, readonly Failure[]>();

  of(jobUid: string): readonly Failure[] {
    return this.#byJob.get(jobUid) ?? [];
  }

  forget(jobUid: string): void {
    this.#byJob.delete(jobUid);
  }

  /** A tracked Pod that was let go as failed, or while it was going. */
  note(spec: JobSpec, { old, object }: CacheChange<Pod>): void {
    if (!old || !isTracked(old) || (object && isTracked(object))) return;
    const last = object ?? old;
    const jobUid = controllerOf(last)?.uid;
    if (jobUid === undefined || !isPodFailed(last, spec)) return;
    const failure = { uid: last.metadata?.uid ?? "", at: endedAt(last) };
    const known = this.of(jobUid).filter(({ uid }) => uid !== failure.uid);
    const latest = [...known, failure].sort((a, b) => a.at - b.at).slice(-FAILURES_MAX);
    this.#byJob.set(jobUid, latest);
  }
}
