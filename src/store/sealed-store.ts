import type { KeyRing } from "./key-ring.ts";
import type {
  Change,
  CommitResult,
  RangeRequest,
  RangeResult,
  Revision,
  Store,
  StoredRecord,
  WatchBatch,
  Write,
} from "./store.ts";

/** `store` with the values of the keys that `isSealed` chooses encrypted; callers see them plain. */
export function sealStore(store: Store, ring: KeyRing, isSealed: (key: string) => boolean): Store {
  return new SealedStore(store, ring, isSealed);
}

/**
 * Encrypts on commit, decrypts on read.
 *
 * A watch of the engine hands out the very buffer that `commit` was given, here a sealed one. Its plain origin is
 * remembered for as long as the sealed buffer lives, so a watch never decrypts what this process has written, nor the
 * same buffer twice.
 */
class SealedStore implements Store {
  readonly #store: Store;
  readonly #ring: KeyRing;
  readonly #isSealed: (key: string) => boolean;
  readonly #plainOf = new WeakMap<Buffer, Buffer>();

  constructor(store: Store, ring: KeyRing, isSealed: (key: string) => boolean) {
    this.#store = store;
    this.#ring = ring;
    this.#isSealed = isSealed;
  }

  revision(): Revision {
    return this.#store.revision();
  }

  compactedRevision(): Revision {
    return this.#store.compactedRevision();
  }

  compact(revision: Revision): Promise<void> {
    return this.#store.compact(revision);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const result = await this.#store.commit(writes.map((write) => this.#sealed(write)));
    if (result.kind === "committed" || !result.current) return result;
    return { ...result, current: this.#record(result.current) };
  }

  async get(key: string, revision?: Revision): Promise<StoredRecord | undefined> {
    const record = await this.#store.get(key, revision);
    return record && this.#record(record);
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    const result = await this.#store.range(request);
    return { ...result, records: result.records.map((record) => this.#record(record)) };
  }

  watch(prefix: string, from: Revision): AsyncIterable<WatchBatch> {
    const inner = this.#store.watch(prefix, from)[Symbol.asyncIterator]();
    const iterator: AsyncIterableIterator<WatchBatch> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        const result = await inner.next();
        if (result.done) return result;
        const { revision, changes } = result.value;
        const plain = changes.map((change) => this.#change(change));
        return { done: false, value: { revision, changes: plain } };
      },
      return: async () => (await inner.return?.()) ?? { done: true, value: undefined },
    };
    return iterator;
  }

  #sealed(write: Write): Write {
    if (write.kind === "delete" || !this.#isSealed(write.key)) return write;
    const value = this.#ring.seal(write.key, write.value);
    this.#plainOf.set(value, write.value);
    return { ...write, value };
  }

  #record(record: StoredRecord): StoredRecord {
    if (!this.#isSealed(record.key)) return record;
    return { ...record, value: this.#plain(record.key, record.value) };
  }

  #change(change: Change): Change {
    if (!change.value || !this.#isSealed(change.key)) return change;
    return { ...change, value: this.#plain(change.key, change.value) };
  }

  #plain(key: string, sealed: Buffer): Buffer {
    let plain = this.#plainOf.get(sealed);
    if (!plain) {
      plain = this.#ring.open(key, sealed);
      this.#plainOf.set(sealed, plain);
    }
    return plain;
  }
}
