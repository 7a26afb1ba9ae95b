import { assert } from "../base/assert.ts";
import type { Backend, Head, LogEntry } from "./backend.ts";
import { Committer, openedState } from "./committer.ts";
import { changeOf, recordOf } from "./log-entry.ts";
import { sweepStep } from "./sweep.ts";
import {
  Closed,
  FutureRevision,
  TooOld,
  type CommitResult,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Store,
  type StoredRecord,
  type WatchBatch,
  type Write,
} from "./store.ts";
import { WatchReader, type WatchSource } from "./watch-reader.ts";

/**
 * The layout this code writes. A higher one is refused: an older Skiff must not misread a newer store.
 * 2: what was committed may lie in a log beside.
 */
export const SCHEMA_VERSION = 2;
/** Keys of a range read in one go, about 2 ms. Doubling doubles the longest stall that a large listing gives others. */
const RANGE_STEP_KEYS = 200;
/** Bytes and entries of one page of history: about 1 ms. */
const HISTORY_BYTES_MAX = 1024 * 1024;
const HISTORY_ENTRIES_MAX = 2000;

/**
 * The contract over any {@link Backend}: what is common to all engines of this process.
 *
 * Every read is a read at a revision, the newest included: a backend may already show what is not delivered yet.
 * No copy of the data is held: late watches are served from the log.
 * @spec etcd v3: the split of an index by key and a log by revision; compaction
 */
export class RevisionedStore implements Store {
  readonly #backend: Backend;
  readonly #committer: Committer;
  readonly #readers = new Set<WatchReader>();
  readonly #source: WatchSource;
  #compacted: Revision;
  #sweeping: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** Use {@link openStore}. */
  constructor(backend: Backend) {
    const { state, revision } = openedState(backend.state, SCHEMA_VERSION);
    this.#backend = backend;
    this.#compacted = state.compacted;
    this.#committer = new Committer(backend, state, revision, (at, entries) => {
      const changes = entries.map(changeOf);
      for (const reader of this.#readers) reader.deliver(at, changes);
    });
    this.#source = {
      revision: () => this.revision(),
      compactedRevision: () => this.#compacted,
      history: (prefix, after) => this.#history(prefix, after),
      forget: (reader) => this.#readers.delete(reader),
    };
  }

  revision(): Revision {
    return this.#committer.revision;
  }

  compactedRevision(): Revision {
    return this.#compacted;
  }

  commit(writes: readonly Write[]): Promise<CommitResult> {
    if (this.#closing) return Promise.reject(closed());
    return this.#committer.commit(writes);
  }

  async get(key: string, revision = this.revision()): Promise<StoredRecord | undefined> {
    this.#checkReadable(revision);
    const head = this.#backend.head(key);
    return head && this.#recordAt(key, head, revision);
  }

  async range({ from, to, limit = Infinity, revision }: RangeRequest): Promise<RangeResult> {
    const at = revision ?? this.revision();
    const records: StoredRecord[] = [];
    for (let start = from; ;) {
      this.#checkReadable(at);
      const next = this.#rangeStep(start, to, limit, at, records);
      if (next === undefined) return { records, revision: at, hasMore: false };
      if (records.length > limit)
        return { records: records.slice(0, limit), revision: at, hasMore: true };
      start = next;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  watch(prefix: string, from: Revision): AsyncIterable<WatchBatch> {
    const refusal = this.#watchRefusal(from);
    const reader = new WatchReader(this.#source, prefix, from, refusal);
    if (!refusal) this.#readers.add(reader);
    return reader;
  }

  compact(revision: Revision): Promise<void> {
    if (this.#closing) return Promise.reject(closed());
    if (revision > this.revision()) return Promise.reject(futureRevision(revision));
    if (revision > this.#compacted) {
      this.#compacted = revision;
      this.#sweeping = this.#sweeping.catch(() => {}).then(() => this.#sweep());
      this.#sweeping.catch(() => {});
    }
    return this.#sweeping;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Reserves revisions; what a crash left half swept is swept in the background. */
  async start(): Promise<void> {
    await this.#committer.maintain(false, [], this.#committer.state);
    if (this.#committer.state.swept >= this.#compacted) return;
    this.#sweeping = this.#sweep();
    // A full disk ends it; the next compaction takes it up again.
    this.#sweeping.catch(() => {});
  }

  async #close(): Promise<void> {
    await this.#sweeping.catch(() => {});
    try {
      await this.#committer.close();
    } finally {
      for (const reader of [...this.#readers]) reader.end(closed());
      await this.#backend.close();
    }
  }

  async #sweep(): Promise<void> {
    const { swept } = this.#committer.state;
    const target = this.#compacted;
    // The bound is durable before the first deletion: after a crash no read may look for what is gone.
    await this.#committer.maintain(false, [], { compacted: target });
    for (let after = swept; after < target && !this.#closing;) {
      const step = sweepStep(this.#backend, this.#committer, after, target);
      await Promise.all([
        this.#committer.maintain(false, step.durable),
        this.#committer.maintain(true, step.volatile),
      ]);
      after = step.upTo;
      // A step without removals writes nothing, and so would wait for nothing.
      await new Promise((resolve) => setImmediate(resolve));
      if (after >= target) await this.#committer.maintain(false, [], { swept: target });
    }
  }

  #checkReadable(revision: Revision): void {
    if (this.#closing) throw closed();
    if (revision > this.revision()) throw futureRevision(revision);
    if (revision < this.#compacted) throw new TooOld(this.#compacted);
  }

  #watchRefusal(from: Revision): Error | undefined {
    try {
      this.#checkReadable(from);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** Adds up to a step's records, one more than `limit` at most. @returns where to go on; `undefined`: at the end. */
  #rangeStep(
    from: string,
    to: string,
    limit: number,
    revision: Revision,
    records: StoredRecord[],
  ): string | undefined {
    let keys = 0;
    for (const [key, head] of this.#backend.heads(from, to)) {
      const record = this.#recordAt(key, head, revision);
      if (record) records.push(record);
      if (records.length > limit || ++keys >= RANGE_STEP_KEYS) return `${key}\0`;
    }
    return undefined;
  }

  /** Follows the chain of versions down to the newest one at or before `revision`. */
  #recordAt(key: string, head: Head, revision: Revision): StoredRecord | undefined {
    if (head.isDeleted && head.position.revision <= revision) return undefined;
    let entry = this.#backend.entry(key, head.position);
    assert(entry, `the store has lost revision ${head.position.revision} of ${key}`);
    while (entry && entry.position.revision > revision)
      entry = entry.previous && this.#backend.entry(key, entry.previous);
    return entry && recordOf(entry);
  }

  /** Whole commits only: a page ends where a revision ends. */
  #history(prefix: string, after: Revision): WatchBatch {
    const newest = this.revision();
    const found: LogEntry[] = [];
    let [bytes, scanned, last] = [0, 0, after];
    for (const entry of this.#backend.entries(after, newest)) {
      const { revision } = entry.position;
      const isFull = bytes >= HISTORY_BYTES_MAX || scanned >= HISTORY_ENTRIES_MAX;
      if (isFull && revision !== last) return { revision: last, changes: found.map(changeOf) };
      last = revision;
      scanned++;
      bytes += entry.value?.length ?? 0;
      if (entry.key.startsWith(prefix)) found.push(entry);
    }
    return { revision: newest, changes: found.map(changeOf) };
  }
}

/** A store over `backend`, ready to use: revisions are reserved on disk. */
export async function openStore(backend: Backend): Promise<Store> {
  const store = new RevisionedStore(backend);
  await store.start();
  return store;
}

function futureRevision(revision: Revision): FutureRevision {
  return new FutureRevision(`revision ${revision} was not issued yet`);
}

function closed(): Closed {
  return new Closed("the store is closed");
}
