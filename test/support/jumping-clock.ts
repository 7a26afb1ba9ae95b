import type { Clock, Instant, Timer } from "../../src/base/clock.ts";
import { SystemClock } from "../../src/base/system-clock.ts";

/** Real time whose wall clock a test can set ahead; timers run as they would. */
export class JumpingClock implements Clock {
  readonly #system = new SystemClock();
  #aheadMs = 0;

  now(): Instant {
    return this.#system.now() + this.#aheadMs;
  }

  monotonic(): number {
    return this.#system.monotonic();
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#system.after(delayMs, task);
  }

  /** Sets the wall clock ahead. */
  jump(ms: number): void {
    this.#aheadMs += ms;
  }
}
