import type { Clock } from "../../base/clock.ts";
import type { ByteSource } from "../../wire/http/byte-source.ts";

/**
 * A reader that takes nothing for this long, ms, gives its seats back until it reads again: it costs the server no work, and a few
 * stalled ones must not keep everybody of their level out. Longer holds lets them do so for longer.
 */
const STALL_MS = 500;

/** Takes and gives back the seats of one answer. */
export interface Seats {
  hold(): void;
  release(): void;
}

/** Bodies that take seats while they are read. */
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
      const sinceMs = this.#clock.monotonic() - STALL_MS;
      for (const body of this.#bodies) body.releaseIfStalled(sinceMs);
      if (this.#bodies.size > 0) this.#look();
    });
  }
}

class SeatedBody implements ByteSource {
  readonly #clock: Clock;
  readonly #body: ByteSource;
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
    this.#body.onReadable(listener);
  }

  close(): void {
    this.#end();
    this.#body.close();
  }

  releaseIfStalled(sinceMs: number): void {
    if (this.#readMs > sinceMs || !this.#isHolding) return;
    this.#isHolding = false;
    this.#seats.release();
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
