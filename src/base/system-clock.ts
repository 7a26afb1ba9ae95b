import { performance } from "node:perf_hooks";
import type { Clock, Instant, Timer } from "./clock.ts";

/** Longest delay `setTimeout` takes, in ms: a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. Its timers keep the process alive, as `setTimeout`'s do. */
export class SystemClock implements Clock {
  now(): Instant {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(delayMs: number, task: () => void): Timer {
    if (delayMs > DELAY_MS_MAX) return this.#afterLong(delayMs, task);
    const handle = setTimeout(task, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  }

  #afterLong(delayMs: number, task: () => void): Timer {
    let inner: Timer | undefined;
    const handle = setTimeout(() => {
      inner = this.after(delayMs - DELAY_MS_MAX, task);
    }, DELAY_MS_MAX);
    return {
      cancel: () => {
        clearTimeout(handle);
        inner?.cancel();
      },
    };
  }
}
