import type { Clock, Instant, Timer } from "../../../src/base/clock.ts";

/** The wall clock of one simulated machine: what it was set by, in ms. */
export interface Wall {
  setMs: number;
}

/**
 * One process of the world: when it is killed its timers stop, and nothing of what it still does reaches anybody.
 *
 * Its JavaScript cannot be stopped in the middle, so whoever carries effects out of it (disk, network, runtime) asks
 * {@link isAlive} or {@link living} on the way out and on the way back.
 */
export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  /** Resolves when it was killed. */
  readonly ended: Promise<void>;
  readonly #timers = new Set<Timer>();
  #end!: () => void;
  #isAlive = true;

  constructor(name: string, base: Clock, wall: Wall) {
    this.name = name;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.clock = {
      now: (): Instant => base.now() + wall.setMs,
      monotonic: () => base.monotonic(),
      after: (delayMs, task) => this.#after(base, delayMs, task),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** `result`, unless the process is dead when it comes: then for ever nothing. */
  async living<T>(result: Promise<T>): Promise<T> {
    const settled = await result.then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    if (!this.#isAlive) return new Promise<never>(() => {});
    return settled();
  }

  /** As `kill -9`. */
  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#end();
  }

  #after(base: Clock, delayMs: number, task: () => void): Timer {
    if (!this.#isAlive) return { cancel: () => {} };
    const timer = base.after(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }
}
