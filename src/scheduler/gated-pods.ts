import type { V1Pod } from "../gen/types.ts";
import { EVENTS, type SchedulerMetrics } from "./scheduler-metrics.ts";

/** The Pods that their gates keep out of the queue, counted. */
export class GatedPods {
  readonly #uids = new Set<string>();
  readonly #metrics: SchedulerMetrics;

  constructor(metrics: SchedulerMetrics) {
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#uids.size;
  }

  /** A Pod comes to the queue. @returns why */
  release({ metadata }: V1Pod): string {
    const wasGated = this.#uids.size > 0 && this.#uids.delete(metadata?.uid ?? "");
    return wasGated ? EVENTS.gatesGone : EVENTS.podAdded;
  }

  /** A Pod does not come to the queue. `isOurs`: it waits for us to look for a node, but for its gates. */
  note({ metadata, spec }: V1Pod, isOurs: boolean): void {
    const uid = metadata?.uid ?? "";
    const isGated = isOurs && (spec?.schedulingGates ?? []).length > 0;
    if (!isGated) this.#uids.delete(uid);
    else if (!this.#uids.has(uid)) {
      this.#uids.add(uid);
      this.#metrics.incoming("gated", EVENTS.podAdded);
    }
  }
}
