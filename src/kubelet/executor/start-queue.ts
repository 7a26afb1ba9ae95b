import type { Clock } from "../../base/clock.ts";

/** Starts side by side for each processor. Doubled, many Pods at once cost each other 5 to 10 % more; halved, processors idle meanwhile. */
const STARTS_PER_PROCESSOR = 2;

/**
 * How long one start counts, in ms: a sandbox or a container takes 100 to 500. One that hangs (a network plugin, a disk) holds up nobody
 * after that. Doubled, the Pods beside it start that much later.
 */
const PLACE_MS_MAX = 2000;

/** What is begun goes before what is new. */
const ORDER = ["container", "sandbox"] as const;

type StartKind = (typeof ORDER)[number];

/**
 * Lets a few starts run side by side, while the others wait for their turn.
 *
 * Why: each is work for the processors from its first to its last moment. Thirty at once are Ready all at the end, and wait for each other's
 * locks; one after the other, the first is Ready after a tenth of the time and the last no later.
 */
export class StartQueue {
  readonly #clock: Clock;
  readonly #widthMax: number;
  readonly #waiting: Record<StartKind, (() => void)[]> = { container: [], sandbox: [] };
  #running = 0;

  constructor(clock: Clock, processors: number) {
    this.#clock = clock;
    this.#widthMax = processors * STARTS_PER_PROCESSOR;
  }

  /** Does `work` when it is its turn. */
  async run<T>(kind: StartKind, work: () => Promise<T>): Promise<T> {
    if (this.#running === this.#widthMax)
      await new Promise<void>((resolve) => this.#waiting[kind].push(resolve));
    else this.#running++;
    let hasPlace = true;
    const leave = (): void => {
      if (hasPlace) this.#next();
      hasPlace = false;
    };
    const timer = this.#clock.after(PLACE_MS_MAX, leave);
    try {
      return await work();
    } finally {
      timer.cancel();
      leave();
    }
  }

  /** A place that becomes free goes to whoever waits. */
  #next(): void {
    const kind = ORDER.find((one) => this.#waiting[one].length > 0);
    if (kind) this.#waiting[kind].shift()!();
    else this.#running--;
  }
}
