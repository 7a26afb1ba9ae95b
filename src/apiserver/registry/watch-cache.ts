import { assert } from "../../base/assert.ts";
import type { Logger } from "../../base/logger.ts";
import { Closed, prefixEnd, type Change, type Revision, type Store } from "../../store/store.ts";
import { REGISTRY_PREFIX, prefixLengthOf, resourcePrefix } from "./keys.ts";
import { ObjectVersion } from "./object-version.ts";
import { ResourceCache } from "./resource-cache.ts";

/** Records of one page of the first listing, put into their places in one go, 2 ms. Doubling it doubles that. */
const LOAD_RECORDS = 1000;

/**
 * All objects of the store, decoded, at one revision, and everything that changes.
 *
 * Flow: one listing at one revision, then one watch from there feeds all resources in revision order.
 * Guarantees: at revision R all changes ≤ R are applied and none above; listeners see every event once, in order.
 * Errors: a broken watch (other than closing) ends the server: `failed` rejects, since a cache that lags silently would
 * answer stale data as if it were fresh.
 */
export class WatchCache {
  readonly failed: Promise<never>;
  /** Listeners that are still being told of what was present when they came. */
  readonly telling = new Set<Promise<void>>();
  readonly #store: Store;
  readonly #byPrefix = new Map<string, ResourceCache>();
  /** Versions that this server is writing, by the value it handed to the store: they need no parsing. */
  readonly #written = new Map<Buffer, (revision: Revision) => ObjectVersion>();
  readonly #revisionListeners = new Set<(revision: Revision) => void>();
  #waiting: readonly { revision: Revision; resolve: () => void }[] = [];
  #revision: Revision = 0;
  /** Of the first listing: no resource has lost an event since. */
  #loadedRevision: Revision = 0;
  #fail!: (error: unknown) => void;

  private constructor(store: Store) {
    this.#store = store;
    this.failed = new Promise<never>((_resolve, reject) => (this.#fail = reject));
    this.failed.catch(() => {});
  }

  /** Resolves when everything in the store is loaded. */
  static async start(store: Store, logger: Logger): Promise<WatchCache> {
    const cache = new WatchCache(store);
    await cache.#load();
    cache.#follow().catch((error: unknown) => {
      if (error instanceof Closed) return;
      logger.error("the watch of the store broke", { error: String(error) });
      cache.#fail(error);
    });
    return cache;
  }

  /** The revision up to which all changes are applied. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The part of one resource; made when first asked for. */
  resource(group: string, plural: string): ResourceCache {
    return this.#at(resourcePrefix(group, plural));
  }

  /** Everything at or below `revision` is applied when this resolves; `undefined`: it is so already. */
  reached(revision: Revision): Promise<void> | undefined {
    if (revision <= this.#revision) return undefined;
    return new Promise((resolve) => {
      this.#waiting = [...this.#waiting, { revision, resolve }];
    });
  }

  /** Resolves when nobody is being told any more: whatever is derived from the objects is then complete. */
  async told(): Promise<void> {
    while (this.telling.size > 0) await Promise.all(this.telling);
  }

  /** Says what `value` decodes to, before it is committed; {@link forget} when it was not. */
  expect(value: Buffer, version: (revision: Revision) => ObjectVersion): void {
    this.#written.set(value, version);
  }

  forget(value: Buffer): void {
    this.#written.delete(value);
  }

  /** Called after each step of {@link revision}, when all its events have been handed out. */
  onRevision(listener: (revision: Revision) => void): () => void {
    this.#revisionListeners.add(listener);
    return () => this.#revisionListeners.delete(listener);
  }

  async #load(): Promise<void> {
    const to = prefixEnd(REGISTRY_PREFIX);
    let from = REGISTRY_PREFIX;
    let revision: Revision | undefined;
    for (;;) {
      const page = await this.#store.range({
        from,
        to,
        limit: LOAD_RECORDS,
        ...(revision !== undefined && { revision }),
      });
      revision ??= this.#loadedRevision = this.#revision = page.revision;
      for (const record of page.records) {
        const length = prefixLengthOf(record.key);
        if (length < 0) continue;
        const part = this.#at(record.key.slice(0, length));
        const key = record.key.slice(length);
        part.load(new ObjectVersion(key, record.modRevision, record.value));
      }
      if (!page.hasMore) return;
      from = `${page.records.at(-1)!.key}\u0000`;
    }
  }

  async #follow(): Promise<void> {
    for await (const batch of this.#store.watch(REGISTRY_PREFIX, this.#revision)) {
      const touched = new Set<ResourceCache>();
      for (const change of batch.changes) this.#apply(change, touched);
      if (batch.revision > this.#revision) this.#advance(batch.revision);
      for (const part of touched) part.watchers.wake();
    }
    throw new Closed("the watch ended");
  }

  #apply(change: Change, touched: Set<ResourceCache>): void {
    const length = prefixLengthOf(change.key);
    if (length < 0) return;
    assert(change.revision > this.#revision, "the store's watch repeated a revision");
    const part = this.#at(change.key.slice(0, length));
    const key = change.key.slice(length);
    part.apply(key, change.revision, this.#versionOf(change, key));
    touched.add(part);
  }

  #versionOf(change: Change, key: string): ObjectVersion | undefined {
    if (change.kind === "delete") return undefined;
    const value = change.value!;
    const written = this.#written.get(value);
    if (!written) return new ObjectVersion(key, change.revision, value);
    this.#written.delete(value);
    return written(change.revision);
  }

  #advance(revision: Revision): void {
    this.#revision = revision;
    for (const listener of this.#revisionListeners) listener(revision);
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((waiter) => waiter.revision > revision);
    for (const waiter of waiting) if (waiter.revision <= revision) waiter.resolve();
  }

  #at(prefix: string): ResourceCache {
    let part = this.#byPrefix.get(prefix);
    if (!part) this.#byPrefix.set(prefix, (part = new ResourceCache(prefix, this.#loadedRevision)));
    return part;
  }
}
