/**
 * The revisioned store: one line of revisions over all keys, multi-version, watchable. Two engines meet this contract
 * (LMDB, etcd), and a third one serves the simulation; one suite (`store-suite.ts`) tests all three.
 *
 * @spec etcd v3 KV, Watch; docs/design/store.md
 */
export interface Store {
  /** The newest revision whose commit is durable and delivered to every watch. Starts at 1: the empty store. */
  revision(): Revision;

  /**
   * Applies all `writes` as one revision, or none.
   *
   * Resolves only when the commit would survive `kill -9` and power loss (volatile keys: `kill -9`).
   * Concurrent calls are grouped into one disk transaction, decided in call order.
   * A commit that changes nothing takes no revision and resolves with the newest one.
   * @bounds 1..WRITES_MAX writes, each key at most once; key 1..KEY_BYTES_MAX, value ≤ VALUE_BYTES_MAX; volatile and
   *         durable keys never in one commit.
   * @throws {AssertionError} out of bounds. {Closed} {StoreFull} no space: nothing was written, reads go on.
   *         {StoreBroken} an earlier write failed with an unknown outcome.
   */
  commit(writes: readonly Write[]): Promise<CommitResult>;

  /** @throws {TooOld} `revision` is below the compaction revision. {FutureRevision} {Closed} */
  get(key: string, revision?: Revision): Promise<StoredRecord | undefined>;

  /**
   * Records with `from` ≤ key < `to`, ascending by the keys' bytes.
   *
   * All pages of one listing pass the `revision` of the first, and so see one snapshot.
   * @throws {TooOld} {FutureRevision} {Closed}
   */
  range(request: RangeRequest): Promise<RangeResult>;

  /**
   * Committed changes of `prefix` after `from`, in revision order, without gap or repeat.
   *
   * Why a pulled stream and not a callback: a slow reader must be able to fall behind and be told so.
   * Begins when called, not at the first `next`. A commit resolves only after its changes were handed to every reader
   * that waits, and those have run: what such a reader keeps is never behind an acknowledged write.
   * @shape  yields batches; the changes of one commit are never split over two batches.
   * @bounds a reader that is more than WATCH_BUFFER_BYTES behind ends with `TooOld`. One `next` at a time.
   * @throws {TooOld} `from` is below the compaction revision. {FutureRevision} `from` is above `revision()`. {Closed}
   */
  watch(prefix: string, from: Revision): AsyncIterable<WatchBatch>;

  /**
   * Forgets versions superseded at or before `revision`; `revision` itself stays readable. Idempotent; a lower one
   * than before does nothing.
   * @throws {FutureRevision} {Closed}
   */
  compact(revision: Revision): Promise<void>;

  /** The compaction revision: 0 before the first. */
  compactedRevision(): Revision;

  /** Finishes what was accepted, then ends every watch and refuses every call with `Closed`. Idempotent. */
  close(): Promise<void>;
}

/** 1, 2, 3 … below 2^53. */
export type Revision = number;

export type Write =
  /** `expect`: the mod revision the key must have now; 0: the key must not exist; absent: no matter. */
  | {
      readonly kind: "put";
      readonly key: string;
      readonly value: Buffer;
      readonly expect?: Revision;
    }
  /** A delete of an absent key with no `expect` changes nothing, and is no conflict. */
  | { readonly kind: "delete"; readonly key: string; readonly expect?: Revision };

export type CommitResult =
  | { readonly kind: "committed"; readonly revision: Revision }
  /** Nothing was written. `current`: what the first refused key holds (`undefined`: it does not exist). */
  | {
      readonly kind: "conflict";
      readonly key: string;
      readonly current: StoredRecord | undefined;
      readonly revision: Revision;
    };

export interface StoredRecord {
  readonly key: string;
  /** Not to be changed. */
  readonly value: Buffer;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

export interface RangeRequest {
  readonly from: string;
  readonly to: string;
  readonly limit?: number;
  /** Default: the newest. */
  readonly revision?: Revision;
}

export interface RangeResult {
  readonly records: readonly StoredRecord[];
  readonly revision: Revision;
  readonly hasMore: boolean;
}

export interface WatchBatch {
  /** Every change at or below this revision has now been yielded; a batch without changes is a progress mark. */
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

export interface Change {
  readonly kind: "put" | "delete";
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  /** For a put: the very Buffer that `commit` was given, where the engine lives in this process. */
  readonly value?: Buffer;
  /** Mod revision of the version before; 0: there was none. */
  readonly previousRevision: Revision;
}

/** Most writes of one commit. A namespace of 40 pods needs 40; doubling doubles the longest stall of the writer. */
export const WRITES_MAX = 1024;
/** Largest value in bytes. @spec etcd's default request limit is 1.5 MiB; API bodies may have 3 MB */
export const VALUE_BYTES_MAX = 3 * 1024 * 1024;

/** Room that every engine leaves above VALUE_BYTES_MAX for what a decorator adds to a value: key id, nonce, tag. */
export const SEAL_BYTES_MAX = 512;
/** Longest key in UTF-8 bytes. A name and a namespace have 253 + 63; LMDB's own bound is 1978 at 4 kB pages. */
export const KEY_BYTES_MAX = 1024;
/**
 * Most bytes of changes that wait for one reader. The buffers are shared with the cache, so a waiting reader costs only
 * what was deleted or replaced meanwhile; doubling doubles what a stuck one can hold.
 */
export const WATCH_BUFFER_BYTES = 64 * 1024 * 1024;

/** The revision was compacted: start again from a fresh range. Normal for a slow reader. */
export class TooOld extends Error {
  override readonly name = "TooOld";
  readonly compacted: Revision;

  constructor(compacted: Revision) {
    super(`the revision was compacted; the oldest readable one is ${compacted}`);
    this.compacted = compacted;
  }
}

/** The revision asked for was not issued yet. The caller's error. */
export class FutureRevision extends Error {
  override readonly name = "FutureRevision";
}

/** The store was closed. Normal during shutdown. */
export class Closed extends Error {
  override readonly name = "Closed";
}

/** No space: nothing of this commit was written, reads go on. Retried by whoever asked, after space was made. */
export class StoreFull extends Error {
  override readonly name = "StoreFull";
}

/** The disk failed in the middle of a write, so what it holds is unknown. Not normal; only reopening the store helps. */
export class StoreBroken extends Error {
  override readonly name = "StoreBroken";
}

/** The first key after all keys that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
