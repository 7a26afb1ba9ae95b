import type { Revision } from "../../store/store.ts";
import type { EventRing } from "./event-ring.ts";
import { KEYS_END } from "./keys.ts";
import { matchEvent, type MatchedEvent, type Predicate } from "./predicate.ts";
import type { ResourceCache } from "./resource-cache.ts";
import type { SortedView } from "../../base/sorted-map.ts";
import type { ObjectVersion } from "./object-version.ts";
import type { Trigger } from "./resource-watchers.ts";

/** Events or objects handed out by one read. */
const READ_MAX = 500;
/**
 * Bytes after which a read ends: what the socket of a watcher that does not read may hold, encrypted. Doubling doubles the
 * memory that a thousand stalled watchers cost; halving it makes more writes of a large first list.
 */
const READ_BYTES = 64 * 1024;

/** Events looked at by one read, when a selector wants few of them: 1 ms, most of it parsing. */
const SCAN_MAX = 2000;

/** What a watch reads next: a batch of events, nothing for now, or word that it has missed some. */
export type Reading =
  | {
      readonly kind: "events";
      readonly events: readonly MatchedEvent[];
      /** What the events became, by encoder: all who read the same get this reading, and whoever encodes it does it once. `undefined`: not shared. */
      readonly encoded: Map<string, Buffer> | undefined;
    }
  | { readonly kind: "initial-end" }
  | { readonly kind: "idle" }
  | { readonly kind: "too-old" };

const IDLE: Reading = { kind: "idle" };
/** There is more to look at, but not in this turn. */
const NOTHING_YET: Reading = { kind: "events", events: [], encoded: undefined };

/** What there is for one predicate from one place on, until the next event happens. */
export interface Scan {
  readonly reading: Reading;
  /** Number of the next event to be looked at. */
  readonly next: number;
}

/**
 * The place of one watcher in the events of one resource; before them, if asked for, all present objects as ADDED.
 *
 * Holds no events: a watcher that is slow costs nothing until the ring has moved past it, and then it ends.
 */
export class EventReader {
  readonly #cache: ResourceCache;
  readonly #predicate: Predicate;
  /** Number of the next event. */
  #next: number;
  #initial: SortedView<ObjectVersion> | undefined;
  #initialFrom: string;
  #isCaughtUp = false;

  /** Events after `revision`; below the ring's floor the first reading says `too-old`. */
  static after(cache: ResourceCache, predicate: Predicate, revision: Revision): EventReader {
    const { events } = cache;
    const next = revision < events.floor ? events.first - 1 : events.after(revision);
    return new EventReader(cache, predicate, next, undefined);
  }

  /** All present objects, then `initial-end`, then all events. */
  static fromPresent(cache: ResourceCache, predicate: Predicate): EventReader {
    return new EventReader(cache, predicate, cache.events.end, cache.versions.snapshot());
  }

  private constructor(
    cache: ResourceCache,
    predicate: Predicate,
    next: number,
    initial: SortedView<ObjectVersion> | undefined,
  ) {
    this.#cache = cache;
    this.#predicate = predicate;
    this.#next = next;
    this.#initial = initial;
    this.#initialFrom = predicate.from;
  }

  /** True: it has read all, and nothing is there for it until it is woken, however far the ring moves on. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Which events it is to be woken for. */
  get trigger(): Trigger | undefined {
    return this.#predicate.trigger;
  }

  read(): Reading {
    return this.#initial ? this.#readInitial(this.#initial) : this.#readEvents();
  }

  /** There may be something for it from the event `first` on: what came before was for others, if it had read all. */
  wakeAt(first: number): void {
    if (!this.#isCaughtUp) return;
    this.#isCaughtUp = false;
    this.#next = Math.max(this.#next, first);
  }

  #readInitial(view: SortedView<ObjectVersion>): Reading {
    const { matches, to } = this.#predicate;
    const events: MatchedEvent[] = [];
    let bytes = 0;
    let last: string | undefined;
    for (const version of view.slice(this.#initialFrom, to, READ_MAX)) {
      last = version.key;
      if (matches && !matches(version.object)) continue;
      events.push({ type: "ADDED", version, revision: version.revision });
      bytes += version.value.length;
      if (bytes >= READ_BYTES) break;
    }
    if (last === undefined) {
      this.#initial = undefined;
      return { kind: "initial-end" };
    }
    this.#initialFrom = last < KEYS_END ? `${last}\u0000` : to;
    return { kind: "events", events, encoded: undefined };
  }

  #readEvents(): Reading {
    if (this.#isCaughtUp) return IDLE;
    const { events: ring } = this.#cache;
    if (this.#next < ring.first) return { kind: "too-old" };
    const { scans } = this.#cache;
    let scan = scans.get(this.#next, this.#predicate.id);
    if (!scan) scans.set(this.#next, this.#predicate.id, (scan = this.#scan(ring)));
    this.#next = scan.next;
    this.#isCaughtUp = this.#next === ring.end;
    return scan.reading;
  }

  #scan(ring: EventRing): Scan {
    const events: MatchedEvent[] = [];
    const end = Math.min(ring.end, this.#next + SCAN_MAX);
    let next = this.#next;
    let bytes = 0;
    while (next < end && events.length < READ_MAX && bytes < READ_BYTES) {
      const event = matchEvent(this.#predicate, ring.at(next++));
      if (!event) continue;
      events.push(event);
      bytes += event.version.value.length;
    }
    if (events.length > 0) return { reading: { kind: "events", events, encoded: new Map() }, next };
    return { reading: next === ring.end ? IDLE : NOTHING_YET, next };
  }
}
