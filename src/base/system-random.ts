import { randomFillSync } from "node:crypto";
import type { Random } from "./random.ts";

/** Bytes fetched from the machine at once: one system call serves 256 UUIDs. Doubling only costs memory. */
const POOL_BYTES = 4096;

/** The machine's cryptographic source, read in blocks. */
export class SystemRandom implements Random {
  readonly #pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  #next = POOL_BYTES;

  bytes(count: number): Uint8Array {
    if (count > POOL_BYTES) return randomFillSync(Buffer.allocUnsafe(count));
    this.#provide(count);
    const from = this.#next;
    this.#next += count;
    return Uint8Array.prototype.slice.call(this.#pool, from, this.#next);
  }

  integer(below: number): number {
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      this.#provide(4);
      const value = this.#pool.readUInt32BE(this.#next);
      this.#next += 4;
      if (value < limit) return value % below;
    }
  }

  #provide(count: number): void {
    if (this.#next + count <= POOL_BYTES) return;
    randomFillSync(this.#pool);
    this.#next = 0;
  }
}
