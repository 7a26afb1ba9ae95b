import type { Clock } from "./clock.ts";

/**
 * Milliseconds of long work in one turn of the event loop. A turn serves requests besides, so a request waits about twice
 * as long; doubling doubles that, halving makes the way around the loop (10 µs) a noticeable part of the work.
 */
export const SLICE_MS = 5;

/**
 * The long work of one process: cut into slices, one of which runs in each turn of the event loop.
 *
 * Why one for all: ten tasks that each allow themselves a slice a turn would hold the loop for ten slices.
 * With a virtual clock nothing is ever cut: a simulation must not depend on how fast the machine is.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  /** When the slice of this turn ends; `undefined`: nobody has begun one. */
  #endMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is left of this turn's slice: nothing, perhaps. Its owner does one step in any case. */
  slice(): Slice {
    if (this.#endMs === undefined) {
      this.#endMs = this.#clock.monotonic() + SLICE_MS;
      setImmediate(this.#forget);
    }
    return new Slice(this.#clock, this, this.#endMs);
  }

  /** Resolves in a turn of its own: at most one caller goes on in each. First come, first served. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#step);
    });
  }

  readonly #step = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#step);
  };

  readonly #forget = (): void => {
    this.#endMs = undefined;
  };
}

/** What one task may still do in this turn. */
export class Slice {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #endMs: number;

  constructor(clock: Clock, turns: Turns, endMs: number) {
    this.#clock = clock;
    this.#turns = turns;
    this.#endMs = endMs;
  }

  /** True: time to stop, with {@link next} or by returning what there is. */
  get isOver(): boolean {
    return !this.#clock.isVirtual && this.#clock.monotonic() >= this.#endMs;
  }

  /** Lets everybody else have a turn; then a whole slice begins. */
  async next(): Promise<void> {
    await this.#turns.next();
    this.#endMs = this.#clock.monotonic() + SLICE_MS;
  }
}

const turnsByClock = new WeakMap<Clock, Turns>();

/** The turns of whoever lives by `clock`: one queue per process, or per simulated world. */
export function turnsOf(clock: Clock): Turns {
  let turns = turnsByClock.get(clock);
  if (!turns) turnsByClock.set(clock, (turns = new Turns(clock)));
  return turns;
}

/** Calls `visit` for each item, in slices. */
export async function visitInSlices<T>(
  clock: Clock,
  items: Iterable<T>,
  visit: (item: T) => void,
): Promise<void> {
  const slice = turnsOf(clock).slice();
  for (const item of items) {
    visit(item);
    if (slice.isOver) await slice.next();
  }
}

/** Runs `steps` to their end, in slices: where they yield, others may have a turn. @returns what they return */
export async function runInSlices<T>(clock: Clock, steps: Generator<void, T>): Promise<T> {
  const slice = turnsOf(clock).slice();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (slice.isOver) await slice.next();
  }
}
