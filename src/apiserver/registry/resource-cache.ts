import { SortedMap, type SortedView } from "../../base/sorted-map.ts";
import type { Revision } from "../../store/store.ts";
import { EventRing, type CacheEvent } from "./event-ring.ts";
import type { ObjectVersion } from "./object-version.ts";
import { ResourceWatchers } from "./resource-watchers.ts";
import { Scans } from "./scans.ts";

/** Is handed every event as it is applied, in order: in-process caches, allocators. Must not throw. */
export type EventListener = (event: CacheEvent) => void;

/** A past state of one resource, kept for the pages of a listing that are still to come. */
interface KeptSnapshot {
  readonly revision: Revision;
  readonly view: SortedView<ObjectVersion>;
}

/**
 * Snapshots kept per resource for continue tokens. They share all unchanged chunks with the present; doubling it keeps
 * twice as many superseded versions alive under heavy paging. An older page answers 410.
 */
const SNAPSHOTS_MAX = 16;

/** All present objects of one resource, its newest events, and who listens. */
export class ResourceCache {
  readonly prefix: string;
  readonly versions = new SortedMap<ObjectVersion>();
  readonly events: EventRing;
  readonly watchers = new ResourceWatchers();
  readonly listeners = new Set<EventListener>();
  readonly #firstListeners: EventListener[] = [];
  /** What watchers found, shared by those that want the same from the same place on; emptied at each new event. */
  readonly scans = new Scans();
  /** Of all present values. */
  bytes = 0;
  #snapshots: KeptSnapshot[] = [];

  constructor(prefix: string, floor: Revision) {
    this.prefix = prefix;
    this.events = new EventRing(floor);
  }

  get(key: string): ObjectVersion | undefined {
    return this.versions.get(key);
  }

  /** An object that was there before all events. */
  load(version: ObjectVersion): void {
    this.versions.set(version.key, version);
    this.bytes += version.value.length;
  }

  /** `version` absent: deleted. An absent object that is deleted is no event. */
  apply(key: string, revision: Revision, version: ObjectVersion | undefined): void {
    const old = version ? this.versions.set(key, version) : this.versions.delete(key);
    if (!version && !old) return;
    this.bytes += (version?.value.length ?? 0) - (old?.value.length ?? 0);
    const event = { revision, key, version, old };
    this.watchers.note(event, this.events.end);
    this.events.push(event);
    this.scans.clear();
    for (const listener of this.#firstListeners) listener(event);
    for (const listener of this.listeners) listener(event);
  }

  /** Like `listeners`, for good and before them: what is derived from the objects must be as new as they are. */
  addFirst(listener: EventListener): void {
    this.#firstListeners.push(listener);
  }

  /** The present, kept for later pages at `revision`. */
  keepSnapshot(revision: Revision): SortedView<ObjectVersion> {
    const newest = this.#snapshots.at(-1);
    if (newest?.revision === revision) return newest.view;
    const view = this.versions.snapshot();
    this.#snapshots.push({ revision, view });
    if (this.#snapshots.length > SNAPSHOTS_MAX) this.#snapshots.shift();
    return view;
  }

  /**
   * How many keys were in `from` ≤ key < `to` at `revision`: those that are there now, without those that came since, and
   * with those that went. `undefined`: not all events since are known.
   */
  countAt(revision: Revision, from: string, to: string): number | undefined {
    if (revision < this.events.floor) return undefined;
    let count = this.versions.count(from, to);
    for (let number = this.events.after(revision); number < this.events.end; number++) {
      const { key, version, old } = this.events.at(number);
      if (key < from || key >= to) continue;
      if (version && !old) count--;
      else if (!version) count++;
    }
    return count;
  }

  /** The state at exactly `revision`, if it is still kept. */
  snapshotAt(revision: Revision): SortedView<ObjectVersion> | undefined {
    return this.#snapshots.find((kept) => kept.revision === revision)?.view;
  }
}
