import { backoffMs, type BackoffLimits } from "../base/backoff.ts";
import type { Clock, Instant } from "../base/clock.ts";
import { keyOf, type Step } from "./plan/step.ts";

/** Waits after a step failed that no status tells of (a kill, a removal). Doubling the ceiling doubles how long remains stay. */
const LIMITS: BackoffLimits = { firstMs: 500, ceilingMs: 30_000 };

/** Wait before a step that succeeded is done again just the same: its effect did not show. Doubled, a lost effect heals later. */
const REPEAT_MS = 1000;

interface Pause {
  /** Only this very step waits; absent: all of its key. */
  readonly step?: string;
  readonly failures: number;
  /** On the monotonic clock: the wall clock may be set back by hours. */
  readonly untilMs: number;
}

/** Keeps steps from being repeated at once: those that fail, and those that succeed without effect. */
export class StepCooling {
  readonly #clock: Clock;
  readonly #pauses = new Map<string, Pause>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `steadyMs`: the monotonic time of the decision; the same for all questions of one, else a pause ends between two. */
  isCold(step: Step, steadyMs: number): boolean {
    const pause = this.#pauses.get(keyOf(step));
    if (!pause || pause.untilMs <= steadyMs) return false;
    return pause.step === undefined || pause.step === JSON.stringify(step);
  }

  /** `isRemembered`: after a failure the plan itself waits with this step. */
  note(step: Step, isSuccess: boolean, isRemembered: boolean): void {
    const key = keyOf(step);
    const steadyMs = this.#clock.monotonic();
    if (isSuccess)
      this.#pauses.set(key, {
        step: JSON.stringify(step),
        failures: 0,
        untilMs: steadyMs + REPEAT_MS,
      });
    else if (isRemembered) this.#pauses.delete(key);
    else {
      const failures = (this.#pauses.get(key)?.failures ?? 0) + 1;
      this.#pauses.set(key, { failures, untilMs: steadyMs + backoffMs(LIMITS, failures) });
    }
  }

  /** When the next of those that were asked for may be tried again. */
  nextAt(steps: readonly Step[], now: Instant, steadyMs: number): Instant | undefined {
    const times = steps
      .filter((step) => this.isCold(step, steadyMs))
      .map((step) => this.#pauses.get(keyOf(step))!.untilMs);
    return times.length > 0 ? now + Math.min(...times) - steadyMs : undefined;
  }
}
