import type { Clock } from "../../base/clock.ts";
import type { ByteSource } from "../../wire/http/byte-source.ts";

/**
 * A reader that takes nothing for this long, ms, gives its seats back until it reads again: it costs the server no work, and a few
 * stalled ones must not keep everybody of their level out. Longer holds lets them do so for longer.
 */
const STALL_MS = 500;

/**
 * A reader that takes nothing for this long, ms, does not get the rest: the state that its list shows is let go. Longer keeps more
 * that is superseded in memory. @spec apiserver server/config.go RequestTimeout 60 s
 */
const CUT_MS = 60_000;

/** Takes and gives back the seats of one answer. */
export interface Seats {
  hold(): void;
  release(): void;
}

/** Lists that are under way: each takes seats while it is read, and is dropped when nobody reads it any more. */
export class SeatedBodies {
  readonly #clock: Clock;
  readonly #bodies = new Set<SeatedBody>();
  #isLooking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `body`, whose seats are held until it ends, or while its reader makes progress. They are held already. */
  seated(body: ByteSource, seats: Seats): ByteSource {
    const seated: SeatedBody = new SeatedBody(this.#clock, body, seats, () =>
      this.#bodies.delete(seated),
    );
    this.#bodies.add(seated);
    this.#look();
    return seated;
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(STALL_MS, () => {
      this.#isLooking = false;
      const nowMs = this.#clock.monotonic();
      for (const body of this.#bodies) body.look(nowMs);
      if (this.#bodies.size > 0) this.#look();
    });
  }
}

class SeatedBody implements ByteSource {
  readonly #clock: Clock;
  /** `undefined`: dropped. */
  #body: ByteSource | undefined;
  readonly #seats: Seats;
  readonly #onEnd: () => void;
  #readMs: number;
  #isHolding = true;
  #isOver = false;

  constructor(clock: Clock, body: ByteSource, seats: Seats, onEnd: () => void) {
    this.#clock = clock;
    this.#body = body;
    this.#seats = seats;
    this.#onEnd = onEnd;
    this.#readMs = clock.monotonic();
  }

  read(): Buffer | undefined | null {
    if (!this.#body) throw new Error("nobody has read this list for a minute");
    if (!this.#isHolding && !this.#isOver) {
      this.#isHolding = true;
      this.#seats.hold();
    }
    this.#readMs = this.#clock.monotonic();
    const piece = this.#body.read();
    if (piece === null) this.#end();
    return piece;
  }

  onReadable(listener: () => void): void {
    this.#body?.onReadable(listener);
  }

  close(): void {
    this.#end();
    this.#body?.close();
  }

  look(nowMs: number): void {
    const stalledMs = nowMs - this.#readMs;
    if (stalledMs >= STALL_MS && this.#isHolding) {
      this.#isHolding = false;
      this.#seats.release();
    }
    if (stalledMs < CUT_MS) return;
    this.#end();
    this.#body?.close();
    this.#body = undefined;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd();
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#seats.release();
  }
}
