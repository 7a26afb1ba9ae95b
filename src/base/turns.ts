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
  /** When the short work of this turn ends. */
  #roomEndMs: number | undefined;
  /** Short work that came after that. */
  readonly #late: (() => void)[] = [];
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

  /**
   * Whether short work may begin in this turn: `undefined`, or when it may. First come, first served.
   *
   * Why: what is short takes long when a hundred pieces of it come at once, and the pauses of a large heap fall into the same turn.
   */
  room(): Promise<void> | undefined {
    if (this.#clock.isVirtual) return undefined;
    if (this.#late.length === 0 && this.#hasRoom()) return undefined;
    return new Promise((resolve) => {
      this.#late.push(resolve);
      setImmediate(this.#beginLate);
    });
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

  /** One of the late ones begins: each has a call of its own, so that what it does at once is done when the next one looks at the time. */
  readonly #beginLate = (): void => {
    if (this.#hasRoom()) this.#late.shift()?.();
    else setImmediate(this.#beginLate);
  };

  /** Short work has a slice of its own: where there is much of it, long work goes on nevertheless. */
  #hasRoom(): boolean {
    const nowMs = this.#clock.monotonic();
    if (this.#roomEndMs === undefined) {
      this.#roomEndMs = nowMs + SLICE_MS;
      setImmediate(this.#forgetRoom);
    }
    return nowMs < this.#roomEndMs;
  }

  readonly #forgetRoom = (): void => {
    this.#roomEndMs = undefined;
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
