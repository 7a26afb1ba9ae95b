import { Unreachable } from "../../../src/base/network.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { expired } from "../../../src/api/machinery/status-errors.ts";
import type { WatchEvent, WatchOptions } from "../../../src/client/client.ts";
import { HttpTransport, type HttpCaller } from "../../../src/client/http-transport.ts";

/** How bad watches are; each may be changed at any time. Chances in percent, of each event. */
export interface WatchFaults {
  /** So many events a watch may lag behind, {@link LAG_MS} at most. */
  lagEventsMax: number;
  /** An event comes again, some that were before it first. */
  repeatPercent: number;
  /** The watch breaks after an event. */
  breakPercent: number;
  /** The same, and the server has forgotten where it was: all is listed again. */
  expirePercent: number;
}

/** Watches that nothing ails. */
export const SOUND_WATCHES: WatchFaults = {
  lagEventsMax: 0,
  repeatPercent: 0,
  breakPercent: 0,
  expirePercent: 0,
};

/** No event is held back longer, in ms. */
const LAG_MS = 20_000;
/** Most events that come again at once. */
const REPEATED_MAX = 4;

/** A client whose watches lag behind, break off and repeat what they told. Everything is told at least once, in order. */
export class UnsteadyWatches extends HttpTransport {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faults: WatchFaults;

  constructor(
    http: HttpCaller,
    userAgent: string,
    clock: Clock,
    random: Random,
    faults: WatchFaults,
  ) {
    super(http, userAgent);
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  override async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const faults = this.#faults;
    const told: WatchEvent<T>[] = [];
    for await (const event of this.#late(kind, options)) {
      yield event;
      told.push(event);
      if (this.#happens(faults.repeatPercent))
        yield* told.slice(-1 - this.#random.integer(REPEATED_MAX));
      if (this.#happens(faults.expirePercent)) throw expired("forgotten");
      if (this.#happens(faults.breakPercent)) throw new Unreachable("the watch broke");
    }
  }

  /** The watch's events, each when enough have come after it or its time is up. What is held back when it ends is lost. */
  async *#late<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    const source = super.watch(kind, { ...options, signal: stop.signal });
    const held: { readonly event: WatchEvent<T>; readonly dueMs: number }[] = [];
    const clock = this.#clock;
    const turn: { wake: () => void; end?: () => void } = { wake: () => {} };
    const pump = async (): Promise<void> => {
      for await (const event of source) {
        held.push({ event, dueMs: clock.monotonic() + LAG_MS });
        turn.wake();
      }
    };
    const isOver = (how: () => void): void => {
      turn.end = how;
      turn.wake();
    };
    void pump().then(
      () => isOver(() => {}),
      (error: unknown) =>
        isOver(() => {
          throw error;
        }),
    );
    const lag = this.#random.integer(this.#faults.lagEventsMax + 1);
    const isDue = (): boolean =>
      held.length > Math.min(lag, this.#faults.lagEventsMax) ||
      (held[0]?.dueMs ?? Infinity) <= clock.monotonic();
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (turn.wake = resolve));
        while (isDue()) yield held.shift()!.event;
        if (turn.end) return turn.end();
        const timer = held[0] && clock.after(held[0].dueMs - clock.monotonic(), turn.wake);
        await woken;
        timer?.cancel();
      }
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
      stop.abort(new Unreachable("nobody listens"));
    }
  }

  #happens(percent: number): boolean {
    return this.#random.integer(100) < percent;
  }
}
