import { uncountedBytes } from "./uncounted-bytes.ts";

/** Values of one turn that get a buffer of their own: a lone write keeps nothing else alive. */
const ALONE_MAX = 2;
/** Larger values always do. */
const SHARED_BYTES_MAX = 16 * 1024;
/** Bytes of the first and of the largest buffer that values of one turn share: each is twice as large as the one before it. */
const SLAB_BYTES_MIN = 8 * 1024;
const SLAB_BYTES_MAX = 64 * 1024;

/**
 * Memory for values that come in bursts: those of one turn of the event loop lie side by side in few buffers.
 *
 * Why: a buffer of its own for each value costs V8 more than the value's bytes do, and the turn more than it should take: see
 * {@link uncountedBytes}.
 * @bounds a value keeps alive what was made in the same turn, and at most as many bytes that nobody uses.
 */
export class TurnSlab {
  #slab: Buffer | undefined;
  #used = 0;
  #count = 0;
  #slabBytes = SLAB_BYTES_MIN;

  /** Bytes as they come, nobody else's. */
  allocate(bytes: number): Buffer {
    if (this.#count++ === 0) setImmediate(this.#forget);
    if (this.#count <= ALONE_MAX || bytes > SHARED_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    let slab = this.#slab;
    if (!slab || this.#used + bytes > slab.length) {
      this.#slab = slab = uncountedBytes(Math.max(bytes, this.#slabBytes));
      this.#slabBytes = Math.min(2 * this.#slabBytes, SLAB_BYTES_MAX);
      this.#used = 0;
    }
    const begin = this.#used;
    this.#used += bytes;
    return slab.subarray(begin, this.#used);
  }

  readonly #forget = (): void => {
    this.#slab = undefined;
    this.#count = 0;
    this.#slabBytes = SLAB_BYTES_MIN;
  };
}
