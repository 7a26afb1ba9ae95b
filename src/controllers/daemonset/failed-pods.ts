import type { Pod } from "../../api/core/pod.ts";
import { backoffMs } from "../../base/backoff.ts";
import type { Clock, Instant } from "../../base/clock.ts";
import { controllerOf } from "../../reconciler/ownership.ts";
import { HASH_LABEL, targetNode } from "./daemon-pod.ts";

/** A node that refuses Pods gets the next one after 1 s, 2 s, … 15 min: faster, and set and node would only fight. */
const LIMITS = { firstMs: 1000, ceilingMs: 15 * 60_000 };

interface Failure {
  readonly count: number;
  readonly at: Instant;
}

/**
 * How often Pods of one template failed on one node, folded from what the watch told.
 *
 * Guarantees: a Pod that failed again is not deleted before its time. Assumptions: lost with the process, as upstream's.
 * @bounds one entry for each node and template that failed within the last half hour.
 * @spec k8s@1.36 pkg/controller/daemon failedPodsBackoff
 */
export class FailedPods {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A failed Pod is on its way out. */
  noteEnd(pod: Pod): void {
    const now = this.#clock.now();
    this.#forget(now);
    const key = keyOfFailure(pod);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    this.#failures.set(key, { count, at: now });
  }

  /** When the failed Pod may be deleted; `undefined`: now. */
  heldUntil(pod: Pod): Instant | undefined {
    const failure = this.#failures.get(keyOfFailure(pod));
    if (!failure) return undefined;
    const until = failure.at + backoffMs(LIMITS, failure.count);
    return until > this.#clock.now() ? until : undefined;
  }

  #forget(now: Instant): void {
    for (const [key, { at }] of this.#failures) {
      if (now - at > 2 * LIMITS.ceilingMs) this.#failures.delete(key);
    }
  }
}

/** Another template begins anew. */
function keyOfFailure(pod: Pod): string {
  const hash = pod.metadata?.labels?.[HASH_LABEL] ?? "";
  return `${controllerOf(pod)?.uid ?? ""}/${hash}/${targetNode(pod) ?? ""}`;
}
