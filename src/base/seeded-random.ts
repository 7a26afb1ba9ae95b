import type { Random } from "./random.ts";

/**
 * A reproducible sequence: the same seed gives the same numbers on every machine. Not fit for keys.
 *
 * The generator is splitmix32: one 32-bit word of state, so a run can be forked by seed.
 */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  bytes(count: number): Uint8Array {
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = this.#next() & 0xff;
    return out;
  }

  integer(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }
}
