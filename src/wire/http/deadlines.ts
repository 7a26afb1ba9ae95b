/**
 * Things that must be over some time after they began, all after the same time.
 *
 * Why not a timer for each: most end within milliseconds, so entering and leaving a map is all that they may cost.
 * @bounds one timer, and none while nothing is under way.
 */
export class Deadlines<T> {
  readonly #ms: number;
  readonly #expire: (item: T) => void;
  /** Item → when it is late, the earliest first. */
  readonly #items = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `expire` is called once for an item that was not ended within `ms`. */
  constructor(ms: number, expire: (item: T) => void) {
    this.#ms = ms;
    this.#expire = expire;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Begins, or begins anew. */
  start(item: T): void {
    this.#items.delete(item);
    this.#items.set(item, performance.now() + this.#ms);
    if (!this.#timer) this.#wait(this.#ms);
  }

  /** It is over; anything that never began is fine, too. */
  end(item: T): void {
    this.#items.delete(item);
  }

  /** Nothing expires any more. */
  close(): void {
    this.#items.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#sweep(), ms).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const [item, lateMs] of this.#items) {
      if (lateMs > nowMs) return this.#wait(Math.ceil(lateMs - nowMs));
      this.#items.delete(item);
      this.#expire(item);
    }
  }
}
