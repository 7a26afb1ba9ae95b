import { nextTurn } from "../base/next-turn.ts";
import type { Backend, Batch, Head, LogEntry, Removal, StoreState } from "./backend.ts";
import { checkWrites, decide } from "./decide.ts";
import { headOf, recordOf } from "./log-entry.ts";
import {
  Closed,
  StoreBroken,
  StoreFull,
  type CommitResult,
  type Revision,
  type Write,
} from "./store.ts";

/**
 * Revisions reserved by one durable write of the high-water mark. Larger blocks leave larger gaps after a crash, which
 * cost nothing below 2^53; smaller ones add writes to volatile commits, which otherwise never wait for the disk.
 */
const HIGH_WATER_BLOCK = 100_000;
/** Bytes of values in one disk transaction. Bounds how long the last of a burst waits for the first; one value is ≤ 3 MB. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/** One accepted call: a commit, a conflict waiting for its turn, or a step of compaction. */
interface Item {
  readonly isVolatile: boolean;
  readonly entries: readonly LogEntry[];
  readonly removals: readonly Removal[];
  readonly state?: Partial<StoreState>;
  readonly result: CommitResult;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Decides commits at once, in call order, and writes them in groups: while one group goes to disk, the next one gathers.
 *
 * Flow: decide against heads and what is in flight → number → group → durable write → deliver to watches → resolve.
 * Guarantees: revisions without repeat, delivered in order, only when durable; a commit resolves after its delivery.
 * Assumptions: nobody else writes to the backend.
 * Errors: after `StoreFull` all that was in flight is refused, because it was decided on what did not come to be;
 * its revisions were seen by nobody and are issued again. After any other error all later commits get `StoreBroken`.
 */
export class Committer {
  readonly #backend: Backend;
  readonly #deliver: (revision: Revision, entries: readonly LogEntry[]) => void;
  #state: StoreState;
  /** Newest revision given to a commit; above `#durable` while writes are in flight. */
  #issued: Revision;
  #durable: Revision;
  readonly #inFlight = new Map<string, LogEntry>();
  #pending: Item[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;
  #broken: StoreBroken | undefined;

  constructor(
    backend: Backend,
    state: StoreState,
    revision: Revision,
    deliver: (revision: Revision, entries: readonly LogEntry[]) => void,
  ) {
    this.#backend = backend;
    this.#state = state;
    this.#issued = this.#durable = revision;
    this.#deliver = deliver;
  }

  get revision(): Revision {
    return this.#durable;
  }

  get state(): StoreState {
    return this.#state;
  }

  commit(writes: readonly Write[]): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#checkOpen();
      const isVolatile = checkWrites(writes, (key) => this.#backend.isVolatile(key));
      const decision = decide(writes, (key) => this.#newest(key), this.#issued + 1);
      const isConflict = decision.kind === "refused";
      const entries = isConflict ? [] : decision.entries;
      if (entries.length > 0) this.#issued++;
      const result: CommitResult = isConflict
        ? this.#conflict(decision.key)
        : { kind: "committed", revision: this.#issued };
      for (const entry of entries) this.#inFlight.set(entry.key, entry);
      this.#enqueue({ isVolatile, entries, removals: [], result, resolve, reject });
    });
  }

  /** Writes what no commit is: removals, and a change of the store's own state. In order with the commits around it. */
  maintain(
    isVolatile: boolean,
    removals: readonly Removal[],
    state?: Partial<StoreState>,
  ): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#checkOpen();
      const result: CommitResult = { kind: "committed", revision: this.#issued };
      const item = { isVolatile, entries: [], removals, result, resolve, reject };
      this.#enqueue(state ? { ...item, state } : item);
    });
  }

  /** Whether a commit that is not durable yet changes `key`. */
  isInFlight(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** Refuses new commits, finishes the accepted ones, and records that the revision is exact. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    if (this.#broken) return;
    const state = { ...this.#state, highWater: this.#durable, isClean: true };
    await this.#backend.write({ isVolatile: false, removals: [], entries: [], state });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Closed("the store is closed");
    if (this.#broken) throw this.#broken;
  }

  #newest(key: string): Head | undefined {
    const entry = this.#inFlight.get(key);
    return entry ? headOf(entry) : this.#backend.head(key);
  }

  #conflict(key: string): CommitResult {
    const head = this.#backend.head(key);
    const entry = this.#inFlight.get(key) ?? (head && this.#backend.entry(key, head.position));
    const current = entry && recordOf(entry);
    return { kind: "conflict", key, current, revision: this.#issued };
  }

  #enqueue(item: Item): void {
    this.#pending.push(item);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      // Not at once: whatever this turn of the loop still commits goes to disk together, here and after each group.
      await nextTurn();
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        this.#fail(group, error);
      }
    }
    this.#running = undefined;
  }

  #takeGroup(): Item[] {
    let bytes = 0;
    const isOver = this.#pending.findIndex((item) => {
      for (const entry of item.entries) bytes += entry.value?.length ?? 0;
      return bytes > GROUP_BYTES_MAX;
    });
    return this.#pending.splice(0, isOver < 0 ? this.#pending.length : Math.max(1, isOver));
  }

  /** Durable keys first: the mark that covers the volatile revisions goes with them. */
  async #write(group: Item[]): Promise<void> {
    const durable = group.filter((item) => !item.isVolatile);
    const state = this.#nextState(group);
    const batch = batchOf(durable, false, state);
    if (!isEmpty(batch)) await this.#backend.write(batch);
    if (state) this.#state = state;
    const volatile = batchOf(
      group.filter((item) => item.isVolatile),
      true,
    );
    if (isEmpty(volatile)) return this.#finish(group);
    try {
      await this.#backend.write(volatile);
    } catch (error) {
      this.#finish(durable);
      group.splice(0, group.length, ...group.filter((item) => item.isVolatile));
      throw error;
    }
    this.#finish(group);
  }

  #nextState(group: readonly Item[]): StoreState | undefined {
    const last = group.findLast((item) => item.entries.length > 0)?.entries[0]!.position.revision;
    const isAbove = last !== undefined && last > this.#state.highWater;
    const changes = group.flatMap((item) => (item.state ? [item.state] : []));
    if (!isAbove && changes.length === 0) return undefined;
    const highWater = isAbove ? last + HIGH_WATER_BLOCK : this.#state.highWater;
    return Object.assign({}, this.#state, ...changes, { highWater }) as StoreState;
  }

  #finish(items: readonly Item[]): void {
    const entries = items.flatMap((item) => item.entries);
    for (const entry of entries)
      if (this.#inFlight.get(entry.key) === entry) this.#inFlight.delete(entry.key);
    const last = entries.at(-1);
    if (last) {
      this.#durable = last.position.revision;
      this.#deliver(this.#durable, entries);
    }
    // The tick comes after every continuation of the delivery, however many hops a decorator adds.
    process.nextTick(() => {
      for (const item of items) item.resolve(item.result);
    });
  }

  #fail(group: readonly Item[], cause: unknown): void {
    const error =
      cause instanceof StoreFull
        ? cause
        : new StoreBroken(`the store's disk failed, reopen it: ${String(cause)}`, { cause });
    if (error instanceof StoreBroken) this.#broken = error;
    const refused = [...group, ...this.#pending];
    this.#pending = [];
    this.#inFlight.clear();
    this.#issued = this.#durable;
    for (const item of refused) item.reject(error);
  }
}

/** The first state of a store, or the next one of a store that was opened again. */
export function openedState(
  found: StoreState | undefined,
  schema: number,
): { readonly state: StoreState; readonly revision: Revision } {
  const from = found ?? { schema, highWater: 1, isClean: true, compacted: 0, swept: 0 };
  const revision = from.highWater;
  const state = {
    schema,
    highWater: revision + HIGH_WATER_BLOCK,
    isClean: false,
    // After a crash nobody can say which volatile changes a watcher saw and the disk lost: all start from a fresh range.
    compacted: from.isClean ? from.compacted : revision,
    swept: from.swept,
  };
  return { state, revision };
}

function batchOf(items: readonly Item[], isVolatile: boolean, state?: StoreState): Batch {
  return {
    isVolatile,
    removals: items.flatMap((item) => item.removals),
    entries: items.flatMap((item) => item.entries),
    ...(state && { state }),
  };
}

function isEmpty({ removals, entries, state }: Batch): boolean {
  return removals.length === 0 && entries.length === 0 && !state;
}
