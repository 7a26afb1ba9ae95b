import { copyBytes, uncountedBytes } from "../../base/uncounted-bytes.ts";

/**
 * Bytes of one slab: about 100 Pods. A slab stays as long as one of its values; a smaller one hardly frees more, since a cluster
 * rarely replaces 20 objects that lie side by side either.
 */
const SLAB_BYTES = 256 * 1024;
/** Larger values get a buffer of their own. */
const SHARED_BYTES_MAX = 16 * 1024;

/** Copies values that are read into buffers that they share: a start reads all objects of the store. */
export class ValueSlab {
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  /** A copy of `bytes` from `from` to `to`. */
  copy(bytes: Buffer, from: number, to: number): Buffer {
    const length = to - from;
    if (length > SHARED_BYTES_MAX) {
      const own = Buffer.allocUnsafeSlow(length);
      bytes.copy(own, 0, from, to);
      return own;
    }
    if (this.#used + length > this.#slab.length) {
      this.#slab = uncountedBytes(SLAB_BYTES);
      this.#used = 0;
    }
    const begin = this.#used;
    this.#used += length;
    copyBytes(bytes, from, to, this.#slab, begin);
    return this.#slab.subarray(begin, this.#used);
  }
}
