import type { BodyTarget } from "./chunked-target.ts";
import { Deadlines } from "./deadlines.ts";

/**
 * Bytes of answers that clients have yet to take, over all connections. Room for 500 readers of long lists that all stall at
 * once; doubling it doubles what clients that never read can make us hold.
 */
export const UNTAKEN_BYTES_MAX = 128 * 1024 * 1024;

/** What may be held of readers that are only slow, as a multiple of what may be held of others: thousands can come within one second. */
const RUSH_FACTOR = 2;

type Counted = BodyTarget & Record<symbol, number | undefined>;

/** Bounds of what clients have yet to take. */
export interface UntakenBounds {
  /** How long each may take, in ms. */
  readonly ms: number;
  /** Of all of them. */
  readonly bytesMax: number;
  /** Within this many ms a reader is only slow: it is not cut to make room for others. */
  readonly patienceMs: number;
}

/**
 * Answers whose bytes are ready, and which a client has yet to take.
 *
 * @bounds each for `ms`; all of them `bytesMax`: above, those that have waited longest are cut, if they have for `patienceMs`; above
 * twice that, whoever has waited longest.
 */
export class Untaken {
  readonly #deadlines: Deadlines<BodyTarget>;
  /** Under which a target has its bytes: a Map would keep young answers alive, as `Deadlines` says. */
  readonly #name = Symbol("bytes");
  readonly #bounds: UntakenBounds;
  #held = 0;

  constructor(bounds: UntakenBounds, cut: (target: BodyTarget) => void) {
    this.#bounds = bounds;
    this.#deadlines = new Deadlines(bounds.ms, (target) => {
      this.#forget(target);
      cut(target);
    });
  }

  /** `bytes` wait from now on for `target` to take them. */
  start(target: BodyTarget, bytes: number): void {
    this.#forget(target);
    (target as Counted)[this.#name] = bytes;
    this.#held += bytes;
    this.#deadlines.start(target);
    const { bytesMax, patienceMs } = this.#bounds;
    while (this.#held > bytesMax && this.#deadlines.expireFirst(patienceMs));
    while (this.#held > bytesMax * RUSH_FACTOR && this.#deadlines.expireFirst(0));
  }

  end(target: BodyTarget): void {
    this.#forget(target);
    this.#deadlines.end(target);
  }

  /** Nothing is cut any more. */
  close(): void {
    this.#deadlines.close();
  }

  #forget(target: BodyTarget): void {
    const bytes = (target as Counted)[this.#name];
    if (!bytes) return;
    this.#held -= bytes;
    (target as Counted)[this.#name] = 0;
  }
}
