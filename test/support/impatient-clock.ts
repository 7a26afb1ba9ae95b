import type { Clock, Timer } from "../../src/base/clock.ts";
import type { VirtualClock } from "../../src/base/virtual-clock.ts";

/** `clock`, but every look at the time takes a millisecond: whatever works in slices is cut after a few steps. */
export class ImpatientClock implements Clock {
  readonly #clock: VirtualClock;
  #looks = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic() + this.#looks++;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#clock.after(delayMs, task);
  }
}
