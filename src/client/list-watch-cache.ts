import { setMaxListeners } from "node:events";
import type { Clock } from "../base/clock.ts";
import { deepFreeze } from "../base/deep-freeze.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { formatKey, keyOf, type KubeObject, type ObjectKey } from "../api/machinery/object.ts";
import type { Cache, CacheChange, CacheFilter } from "./cache.ts";
import type { Client, WatchEvent } from "./client.ts";
import { KindStore } from "./kind-store.ts";
import { ListWatch, type Selection } from "./list-watch.ts";

export interface ListWatchCacheOptions {
  /** Which part of a kind to hold; default: all of it. A kubelet holds its own node's Pods only. */
  readonly selectionOf?: (kind: Kind) => Selection;
  /** Freezes objects, so that a change of a shared one throws. For tests: it costs time. */
  readonly freezes?: boolean;
}

/** A cache that follows each kind by list and watch of its own. See {@link Cache}. */
export class ListWatchCache implements Cache {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: ListWatchCacheOptions;
  readonly #kinds = new Map<Kind, FollowedKind>();
  readonly #closed = new AbortController();

  constructor(
    client: Client,
    clock: Clock,
    random: Random,
    logger: Logger,
    options: ListWatchCacheOptions = {},
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#options = options;
    // One for each kind that is followed: many are no leak.
    setMaxListeners(0, this.#closed.signal);
  }

  sync(kind: Kind): Promise<void> {
    const followed = this.#followed(kind);
    if (!followed.isRunning) {
      followed.isRunning = true;
      const selection = this.#options.selectionOf?.(kind) ?? {};
      const machine = new ListWatch(
        this.#client,
        kind,
        selection,
        this.#clock,
        this.#random,
        this.#logger,
        followed,
      );
      void machine.run(this.#closed.signal);
    }
    return followed.synced;
  }

  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T | undefined {
    return this.#followed(kind).store.get(key) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>, filter?: CacheFilter<T>): readonly T[] {
    const { store } = this.#followed(kind);
    return store.list(filter as CacheFilter<KubeObject> | undefined) as readonly T[];
  }

  count(kind: Kind, namespace: string): number {
    return this.#followed(kind).store.count(namespace);
  }

  onChange(kind: Kind, listener: (change: CacheChange) => void): void {
    this.#followed(kind).changeListeners.push(listener);
  }

  revision(kind: Kind): number {
    return this.#followed(kind).revision;
  }

  onRevision(kind: Kind, listener: (revision: number) => void): void {
    this.#followed(kind).revisionListeners.push(listener);
  }

  close(): void {
    this.#closed.abort(new Error("the cache was closed"));
  }

  #followed(kind: Kind): FollowedKind {
    const known = this.#kinds.get(kind);
    if (known) return known;
    const followed = new FollowedKind(kind, this.#options.freezes ?? false);
    this.#kinds.set(kind, followed);
    return followed;
  }
}

/** One kind's objects, revision and listeners. */
class FollowedKind {
  readonly store: KindStore<KubeObject>;
  readonly changeListeners: ((change: CacheChange) => void)[] = [];
  readonly revisionListeners: ((revision: number) => void)[] = [];
  readonly synced: Promise<void>;
  isRunning = false;
  revision = 0;
  readonly #freezes: boolean;
  #resolveSynced: () => void = () => {};

  constructor(kind: Kind, freezes: boolean) {
    this.store = new KindStore(kind);
    this.#freezes = freezes;
    this.synced = new Promise((resolve) => (this.#resolveSynced = resolve));
  }

  replace(objects: readonly KubeObject[], resourceVersion: string): void {
    // By uid too: what was made anew under its name since is another object.
    const present = new Set(objects.map(identityOf));
    for (const object of this.store.list())
      if (!present.has(identityOf(object))) this.#tell(this.store.remove(keyOf(object)));
    for (const object of objects) this.#tell(this.store.put(this.#shared(object)));
    this.#moveTo(resourceVersion);
    this.#resolveSynced();
  }

  apply(event: WatchEvent<KubeObject>): void {
    if (event.type === "BOOKMARK") return this.#moveTo(event.resourceVersion);
    const { object } = event;
    // Told again: what is known is newer, and an object that is gone must not come back.
    if (Number(object.metadata?.resourceVersion) < this.revision) return;
    const isGone = event.type === "DELETED";
    this.#tell(isGone ? this.store.remove(keyOf(object)) : this.store.put(this.#shared(object)));
    this.#moveTo(object.metadata?.resourceVersion ?? "");
  }

  #shared(object: KubeObject): KubeObject {
    return this.#freezes ? deepFreeze(object) : object;
  }

  #tell(change: CacheChange | undefined): void {
    if (change) for (const listener of this.changeListeners) listener(change);
  }

  #moveTo(resourceVersion: string): void {
    const revision = Number(resourceVersion);
    if (!(revision > this.revision)) return;
    this.revision = revision;
    for (const listener of this.revisionListeners) listener(revision);
  }
}

function identityOf(object: KubeObject): string {
  return `${formatKey(keyOf(object))} ${object.metadata?.uid ?? ""}`;
}
