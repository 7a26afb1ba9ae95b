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
  readonly until: Instant;
}

/** Keeps steps from being repeated at once: those that fail, and those that succeed without effect. */
export class StepCooling {
  readonly #clock: Clock;
  readonly #pauses = new Map<string, Pause>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isCold(step: Step, now: Instant): boolean {
    const pause = this.#pauses.get(keyOf(step));
    if (!pause || pause.until <= now) return false;
    return pause.step === undefined || pause.step === JSON.stringify(step);
  }

  /** `isRemembered`: after a failure the plan itself waits with this step. */
  note(step: Step, isSuccess: boolean, isRemembered: boolean): void {
    const key = keyOf(step);
    const now = this.#clock.now();
    if (isSuccess)
      this.#pauses.set(key, { step: JSON.stringify(step), failures: 0, until: now + REPEAT_MS });
    else if (isRemembered) this.#pauses.delete(key);
    else {
      const failures = (this.#pauses.get(key)?.failures ?? 0) + 1;
      this.#pauses.set(key, { failures, until: now + backoffMs(LIMITS, failures) });
    }
  }

  /** When the next of those that were asked for may be tried again. */
  nextAt(steps: readonly Step[], now: Instant): Instant | undefined {
    const times = steps
      .filter((step) => this.isCold(step, now))
      .map((step) => this.#pauses.get(keyOf(step))!.until);
    return times.length > 0 ? Math.min(...times) : undefined;
  }
}
