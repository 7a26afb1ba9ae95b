import { performance } from "node:perf_hooks";

/**
 * A disk whose writes take longer than this, in ms, is slow: in the mean of the last ones, since a moment's delay is nobody's fault. A
 * write takes some 0.1 ms, and another thread would add half of that. Doubling doubles how long a slow disk holds requests.
 */
const QUICK_MS_MAX = 0.5;
/** How many writes count in the mean, more or less. With twice as many, a disk that becomes slow holds twice as many requests. */
const MEAN_WRITES = 16;
/** So long after a disk was found slow none is written in the main thread, in ms. */
const WARY_MS = 1000;
/**
 * A write that takes longer than this, in ms, is a stall: longer than anything may hold the loop. A disk that stalls again within a minute is
 * left alone for twice as long, up to a minute. So one that stalls now and then holds the loop for one stall in a minute; the price, where it
 * was chance, is the way of lone commits to another thread and back for a minute, a fifth of what they take.
 */
const STALL_MS = 20;
const WARY_MS_MAX = 60_000;
const CALM_MS = 60_000;

/**
 * Whether the main thread may wait for the disk itself.
 *
 * @bounds a disk that gets slower holds it for some 15 ms in a second; one that stalls, for one stall: at first once in a second, then ever
 * more rarely.
 */
export class DiskTrust {
  readonly #nowMs: () => number;
  /** How long a write in the main thread takes. */
  #meanMs = 0;
  /** Until then the disk counts as slow. */
  #waryUntilMs = -CALM_MS;
  #waryMs = WARY_MS;

  /** `nowMs`: of a clock that only goes forward. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get isQuick(): boolean {
    return this.#nowMs() >= this.#waryUntilMs;
  }

  /** Runs `write` in this thread, and learns from how long it takes. */
  time<T>(write: () => T): T {
    const beginMs = this.#nowMs();
    const result = write();
    const endMs = this.#nowMs();
    this.#meanMs += (endMs - beginMs - this.#meanMs) / MEAN_WRITES;
    if (this.#meanMs <= QUICK_MS_MAX) return result;
    const isStall = endMs - beginMs > STALL_MS;
    const isAgain = beginMs - this.#waryUntilMs < CALM_MS;
    this.#waryMs = isStall && isAgain ? Math.min(2 * this.#waryMs, WARY_MS_MAX) : WARY_MS;
    this.#waryUntilMs = endMs + this.#waryMs;
    this.#meanMs = 0;
    return result;
  }
}
