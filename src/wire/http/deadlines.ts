/** An item's place among those that are under way, in the order of their lateness; out of it, a place without neighbours. */
interface Place<T> {
  readonly item: T;
  lateMs: number;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/**
 * Things that must be over some time after they began, all after the same time.
 *
 * Why not a timer for each: most end within milliseconds, so entering and leaving a list is all that they may cost. Why not a Map: each of
 * its tables knows the next larger one, and one that has grown old keeps all later ones, with the answers in them, from being
 * collected while they are young, which costs more than all else here.
 * @bounds one timer, and none while nothing is under way.
 */
export class Deadlines<T extends object> {
  readonly #ms: number;
  readonly #expire: (item: T) => void;
  /** Under which an item has its place. */
  readonly #name = Symbol("place");
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `expire` is called once for an item that was not ended within `ms`. */
  constructor(ms: number, expire: (item: T) => void) {
    this.#ms = ms;
    this.#expire = expire;
  }

  /** Begins, or begins anew. */
  start(item: T): void {
    const lateMs = performance.now() + this.#ms;
    let place = this.#placeOf(item);
    if (place) {
      this.#leave(place);
      place.lateMs = lateMs;
    } else {
      place = { item, lateMs, before: undefined, after: undefined };
      (item as Record<symbol, Place<T>>)[this.#name] = place;
    }
    place.before = this.#last;
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    if (!this.#timer) this.#wait(this.#ms);
  }

  /** It is over; anything that never began is fine, too. */
  end(item: T): void {
    const place = this.#placeOf(item);
    if (place) this.#leave(place);
  }

  /** Expires the item that began first, unless it began less than `leastMs` ago. @returns whether there was one. */
  expireFirst(leastMs: number): boolean {
    const first = this.#first;
    if (!first || first.lateMs - this.#ms + leastMs > performance.now()) return false;
    this.#leave(first);
    this.#expire(first.item);
    return true;
  }

  /** Nothing expires any more. */
  close(): void {
    while (this.#first) this.#leave(this.#first);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #placeOf(item: T): Place<T> | undefined {
    return (item as Record<symbol, Place<T> | undefined>)[this.#name];
  }

  #leave(place: Place<T>): void {
    const { before, after } = place;
    if (before) before.after = after;
    else if (this.#first === place) this.#first = after;
    if (after) after.before = before;
    else if (this.#last === place) this.#last = before;
    place.before = place.after = undefined;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#sweep(), ms).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (let place = this.#first; place; place = this.#first) {
      if (place.lateMs > nowMs) return this.#wait(Math.ceil(place.lateMs - nowMs));
      this.#leave(place);
      this.#expire(place.item);
    }
  }
}
