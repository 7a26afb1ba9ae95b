/**
 * Bytes that one transaction may have here: a step of 256 Pods from the log, and what is touched of it stays in memory. Doubling
 * it keeps twice as much after a burst of large values.
 */
const SCRATCH_BYTES = 1024 * 1024;

/**
 * Where the values of a transaction lie until LMDB has taken them: the same place each time, since what is made anew for each
 * would outlive a collection of the young generation while the disk is waited for.
 */
export class WriteScratch {
  #bytes: Buffer | undefined;
  #used = 0;
  #users = 0;

  /** Runs `work`, which may {@link allocate}; what it allocated is its own until it has ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      if (--this.#users === 0) this.#used = 0;
    }
  }

  /** A place in the scratch; where it is full, one of its own. */
  readonly allocate = (bytes: number): Buffer => {
    const end = this.#used + bytes;
    if (end > SCRATCH_BYTES) return Buffer.allocUnsafe(bytes);
    this.#bytes ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    const place = this.#bytes.subarray(this.#used, end);
    this.#used = end;
    return place;
  };
}
