import type { Clock, Instant, Timer } from "./clock.ts";

interface Pending {
  readonly at: Instant;
  readonly sequence: number;
  readonly task: () => void;
}

/** Where virtual time starts unless told: a fixed date, so that traces compare. */
const START: Instant = Date.UTC(2026, 0, 1);

/**
 * Time that moves only when {@link advance} or {@link step} is called; equal times fire in the order they were asked for.
 *
 * Promise continuations run between two timers, so code under test may await freely.
 */
export class VirtualClock implements Clock {
  readonly isVirtual = true;
  readonly #start: Instant;
  #now: Instant;
  /** What the wall clock was set by. */
  #setMs = 0;
  #sequence = 0;
  #pending: Pending[] = [];

  constructor(start: Instant = START) {
    this.#start = start;
    this.#now = start;
  }

  now(): Instant {
    return this.#now + this.#setMs;
  }

  /** Sets the wall clock forward or back, as an administrator does: no time passes. */
  set(deltaMs: number): void {
    this.#setMs += deltaMs;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry = { at: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, task };
    const position = this.#pending.findIndex((other) => other.at > entry.at);
    this.#pending.splice(position < 0 ? this.#pending.length : position, 0, entry);
    return { cancel: () => void (this.#pending = this.#pending.filter((e) => e !== entry)) };
  }

  /** When the next timer fires; `undefined` when none is pending. */
  nextAt(): Instant | undefined {
    return this.#pending[0]?.at;
  }

  /** Moves to the next timer and fires it. @returns false when none is pending. */
  async step(): Promise<boolean> {
    const next = this.#pending.shift();
    if (!next) return false;
    this.#now = Math.max(this.#now, next.at);
    next.task();
    await settle();
    return true;
  }

  /** Moves time by `deltaMs`, firing what falls due on the way, each at its own time. */
  async advance(deltaMs: number): Promise<void> {
    const target = this.#now + deltaMs;
    await settle();
    for (;;) {
      const at = this.nextAt();
      if (at === undefined || at > target) break;
      await this.step();
    }
    this.#now = target;
    await settle();
  }
}

/** Lets every promise continuation that is ready run, their successors included. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
