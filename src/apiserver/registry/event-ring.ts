import type { Revision } from "../../store/store.ts";
import type { ObjectVersion } from "./object-version.ts";

/** One change of one object: `version` is absent when it was deleted, `old` when it was created. */
export interface CacheEvent {
  readonly revision: Revision;
  readonly key: string;
  readonly version: ObjectVersion | undefined;
  readonly old: ObjectVersion | undefined;
}

/**
 * Most events kept per resource. A watcher that is further behind ends with 410; 16,384 are two seconds of the busiest
 * resource. Doubling it doubles the memory of superseded versions, up to {@link RING_BYTES_MAX}.
 */
const RING_EVENTS_MAX = 16_384;
/** Most bytes of versions that events of one resource keep alive. */
const RING_BYTES_MAX = 32 * 1024 * 1024;
/** Dropped events are cut off in blocks, so that an append moves nothing. */
const TRIM_BLOCK = 1024;

/**
 * The newest events of one resource, in revision order, numbered without gaps.
 *
 * A reader holds the number of the next event it wants; below {@link first} it has missed some.
 */
export class EventRing {
  /** Everything at or below this revision may be missing here. */
  #floor: Revision;
  #events: CacheEvent[] = [];
  /** Index in `#events` of the oldest event that is still kept. */
  #begin = 0;
  /** The number of `#events[0]`. */
  #base = 0;
  #bytes = 0;

  constructor(floor: Revision) {
    this.#floor = floor;
  }

  get floor(): Revision {
    return this.#floor;
  }

  /** The number of the oldest event kept. */
  get first(): number {
    return this.#base + this.#begin;
  }

  /** The number that the next event will get. */
  get end(): number {
    return this.#base + this.#events.length;
  }

  at(number: number): CacheEvent {
    return this.#events[number - this.#base]!;
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
    while (
      this.#events.length - this.#begin > RING_EVENTS_MAX ||
      (this.#bytes > RING_BYTES_MAX && this.#events.length - this.#begin > 1)
    )
      this.#dropOldest();
    if (this.#begin >= TRIM_BLOCK) {
      this.#events = this.#events.slice(this.#begin);
      this.#base += this.#begin;
      this.#begin = 0;
    }
  }

  /** The number of the first event after `revision`; the caller has compared with {@link floor}. */
  after(revision: Revision): number {
    let low = this.#begin;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#base + low;
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#begin]!;
    this.#bytes -= bytesOf(oldest);
    this.#floor = oldest.revision;
    this.#events[this.#begin++] = DROPPED;
  }
}

/** In place of dropped events until their block is cut off: holds no version alive. */
const DROPPED: CacheEvent = { revision: 0, key: "", version: undefined, old: undefined };

/** The superseded version is what the event alone keeps alive; the new one counts when its successor comes. */
function bytesOf(event: CacheEvent): number {
  return event.old?.value.length ?? 0;
}
