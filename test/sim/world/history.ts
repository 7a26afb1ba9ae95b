import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { ObjectVersion } from "../../../src/apiserver/registry/object-version.ts";
import { prefixLengthOf } from "../../../src/apiserver/registry/keys.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { LogEntry } from "../../../src/store/backend.ts";
import type { DiskWitness } from "../store/world-store.ts";

/** One change that is on the server's disk: the truth that everything else is held against. */
export interface Change {
  readonly revision: number;
  readonly atMs: number;
  /** `pods`, `apps/deployments` */
  readonly resource: string;
  /** `NAMESPACE/NAME`, or `NAME` */
  readonly key: string;
  readonly old: KubeObject | undefined;
  /** Absent: deleted. */
  readonly object: KubeObject | undefined;
}

/** One request of a user that would write, as the server answered it. A repeated call is two of them. */
export interface WriteCall {
  readonly party: string;
  readonly method: string;
  readonly path: string;
  /** In the annotation {@link MARK}: tells this write from all others. Absent for a delete. */
  readonly mark?: string;
  readonly atMs: number;
  /** Absent: the server never answered. */
  answer?: Answer;
}

/** What the server said. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Of the object that came back; 0 for none. */
  readonly revision: number;
  readonly uid: string;
}

/** One GET of a user. */
export interface ReadCall {
  readonly party: string;
  readonly path: string;
  /** The newest revision that any answer had told when this one was asked. */
  readonly knownRevision: number;
  /** The store's, when the answer was made. */
  readonly newestRevision: number;
  /** Absent: the server never answered, or refused. */
  readonly object?: KubeObject;
  readonly status: number;
}

/** What one watcher got from one list on: the watch was taken up again as often as it broke. */
export interface WatchRun {
  readonly watcher: string;
  /** `pods` */
  readonly resource: string;
  readonly selects: (object: KubeObject) => boolean;
  readonly listRevision: number;
  readonly items: readonly KubeObject[];
  readonly events: readonly WatchRecord[];
  /** The watcher listed again after it, because it was told to. */
  isOver: boolean;
}

/** One event or bookmark. */
export interface WatchRecord {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly revision: number;
  readonly object?: KubeObject;
}

/** What a node's runtime has running at one moment. */
export interface RunningContainer {
  readonly node: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** What a Pod's containers live in, running or not. */
export interface Sandbox {
  readonly node: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
}

/** A moment when some runtime's containers changed. */
export interface RuntimeMoment {
  readonly atMs: number;
  /** The newest change on disk at that moment. */
  readonly revision: number;
  readonly running: readonly RunningContainer[];
  readonly sandboxes: readonly Sandbox[];
}

/** Everything that checkers judge. Plain data: a test writes one by hand. */
export interface History {
  /** In revision order; Leases and Events are left out. */
  readonly changes: readonly Change[];
  readonly writes: readonly WriteCall[];
  readonly reads: readonly ReadCall[];
  readonly watches: readonly WatchRun[];
  readonly runtimes: readonly RuntimeMoment[];
  /** Lines of components that found something impossible. */
  readonly errors: readonly string[];
  /** Uids of what controllers made and heard of: no answer was lost, and they live. Absent: they run in the server. */
  readonly heard?: ReadonlySet<string>;
  /** What the disk had and has no more. */
  readonly lost: readonly string[];
  readonly facts: Facts;
}

/** What checkers must know of the world. */
export interface Facts {
  /** How late a controller may act upon what it read, in ms. */
  readonly staleMs: number;
  /** Images that can never be pulled. */
  readonly missingImages: readonly string[];
  /** Users have deleted all that was theirs. */
  readonly isCleared: boolean;
  /** When all that was wrong had ended, in ms. Absent: something may be wrong still. */
  readonly healedAtMs?: number;
  /** Somebody's wall clock has shown another time than the others'. */
  readonly clocksWereSet: boolean;
}

/** A world in which nothing happened. For tests of checkers. */
export const emptyHistory: History = {
  changes: [],
  writes: [],
  reads: [],
  watches: [],
  runtimes: [],
  errors: [],
  lost: [],
  facts: { staleMs: 0, missingImages: [], isCleared: false, clocksWereSet: false },
};

/** The annotation that tells a user's writes apart. */
export const MARK = "sim.skiff.dev/mark";

/** Rewritten all the time, and of no interest to any checker. */
const NOISE = new Set(["events", "coordination.k8s.io/leases"]);

/**
 * Turns what the store has on its disk into {@link Change}s. It survives the server: when the store is opened again, it
 * looks whether everything is still there.
 */
export class ChangeLog implements DiskWitness {
  readonly changes: Change[] = [];
  /** What was on the disk and is there no more, or has changed. */
  readonly lost: string[] = [];
  readonly #clock: Clock;
  readonly #onChange: (change: Change, value: Buffer | undefined) => void;
  readonly #newest = new Map<string, Map<string, KubeObject>>();
  /** By position, and the newest by key; noise left out. */
  readonly #entries = new Map<string, LogEntry>();
  readonly #heads = new Map<string, LogEntry>();
  #revision = 0;
  #sub = 0;

  /** `onChange`: told of each, noise included. */
  constructor(clock: Clock, onChange: (change: Change, value: Buffer | undefined) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** The newest revision seen. */
  get revision(): number {
    return this.#revision;
  }

  /** What there is of `resource` now, in order of creation. */
  present(resource: string): readonly KubeObject[] {
    return [...(this.#newest.get(resource)?.values() ?? [])];
  }

  /** What came after the last entry seen is of writes that nobody was answered: it counts from now on. */
  opened: DiskWitness["opened"] = (newest, versions) => {
    for (const entry of versions()) {
      const known = this.#entries.get(positionOf(entry));
      if (known && !isSame(known, entry)) this.lost.push(`${textOf(known)}: is another now`);
      this.#add(entry);
    }
    for (const [key, entry] of this.#heads) {
      const found = newest(key);
      // A deletion may be forgotten, with all that was before it.
      const isKept = found ? isSame(entry, found) : entry.kind === "delete";
      if (!isKept) this.lost.push(`${textOf(entry)}: is not the newest now`);
    }
  };

  wrote(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#add(entry);
  }

  #add(entry: LogEntry): void {
    const { revision, sub } = entry.position;
    const length = prefixLengthOf(entry.key);
    if (length < 0) return;
    if (revision < this.#revision || (revision === this.#revision && sub <= this.#sub)) return;
    this.#revision = revision;
    this.#sub = sub;
    const resource = resourceOf(entry.key.slice(0, length));
    const change = this.#changeOf(entry, resource, length);
    this.#onChange(change, entry.value);
    if (NOISE.has(resource)) return;
    this.#entries.set(positionOf(entry), entry);
    this.#heads.set(entry.key, entry);
    this.changes.push(change);
  }

  #changeOf({ position, key, value }: LogEntry, resource: string, length: number): Change {
    const local = key.slice(length);
    const object = value && new ObjectVersion(local, position.revision, value).object;
    const present = this.#newest.get(resource) ?? new Map<string, KubeObject>();
    this.#newest.set(resource, present);
    const old = present.get(local);
    if (object) present.set(local, object);
    else present.delete(local);
    const { revision } = position;
    return { revision, atMs: this.#clock.monotonic(), resource, key: local, old, object };
  }
}

function positionOf({ position: { revision, sub } }: LogEntry): string {
  return `${revision}.${sub}`;
}

function textOf(entry: LogEntry): string {
  return `${entry.kind} ${entry.key} at ${positionOf(entry)}`;
}

function isSame(one: LogEntry, other: LogEntry): boolean {
  const isThere = positionOf(one) === positionOf(other);
  return isThere && one.kind === other.kind && one.key === other.key && isEqualValue(one, other);
}

function isEqualValue({ value }: LogEntry, { value: other }: LogEntry): boolean {
  return value && other ? value.equals(other) : value === other;
}

/** `/registry/core/pods/` → `pods`, `/registry/apps/deployments/` → `apps/deployments`. */
function resourceOf(prefix: string): string {
  const [, , group = "", plural = ""] = prefix.split("/");
  return group === "core" ? plural : `${group}/${plural}`;
}
