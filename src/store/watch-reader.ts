import { assert } from "../base/assert.ts";
import {
  TooOld,
  WATCH_BUFFER_BYTES,
  type Change,
  type Revision,
  type WatchBatch,
} from "./store.ts";

/** Bytes a change costs besides its value. Guards against a flood of deletions, which carry none. */
const CHANGE_BYTES = 256;

/** Where a reader that is behind gets what it missed. */
export interface WatchSource {
  revision(): Revision;
  compactedRevision(): Revision;
  /** The next page of changes after `after`; its revision is at most `revision()`, and above `after`. */
  history(prefix: string, after: Revision): WatchBatch;
  forget(reader: WatchReader): void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<WatchBatch, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One watch: reads history page by page until it has caught up, and is handed each commit from then on.
 *
 * Why not an async generator: its `return` waits behind a pending `next`, so an idle watch could not be ended.
 */
export class WatchReader implements AsyncIterableIterator<WatchBatch> {
  readonly #source: WatchSource;
  readonly #prefix: string;
  /** All up to here was yielded. */
  #yielded: Revision;
  /** All up to here was yielded or waits in `#changes`. */
  #received: Revision;
  #changes: Change[] = [];
  #bytes = 0;
  #isLive: boolean;
  #waiter: Waiter | undefined;
  #end: Error | "returned" | undefined;

  constructor(source: WatchSource, prefix: string, from: Revision, end?: Error) {
    this.#source = source;
    this.#prefix = prefix;
    this.#yielded = this.#received = from;
    this.#isLive = from >= source.revision();
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes the changes of all keys up to `revision`; wakes the reader if it waits. */
  deliver(revision: Revision, changes: readonly Change[]): void {
    if (!this.#isLive || this.#end) return;
    for (const change of changes) {
      if (!change.key.startsWith(this.#prefix)) continue;
      this.#changes.push(change);
      this.#bytes += CHANGE_BYTES + (change.value?.length ?? 0);
    }
    this.#received = revision;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter) waiter.resolve({ done: false, value: this.#take() });
    else if (this.#bytes > WATCH_BUFFER_BYTES)
      this.end(new TooOld(this.#source.compactedRevision()));
  }

  /** Ends the watch with `reason`; what it had not read yet is dropped. */
  end(reason: Error | "returned"): void {
    if (this.#end) return;
    this.#end = reason;
    this.#changes = [];
    this.#source.forget(this);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (!waiter) return;
    if (reason === "returned") waiter.resolve({ done: true, value: undefined });
    else waiter.reject(reason);
  }

  next(): Promise<IteratorResult<WatchBatch, undefined>> {
    return new Promise((resolve, reject) => {
      assert(!this.#waiter, "a watch takes one next() at a time");
      if (!this.#isLive && !this.#end) this.#catchUp();
      if (this.#end === "returned") resolve({ done: true, value: undefined });
      else if (this.#end) reject(this.#end);
      else if (this.#received > this.#yielded) resolve({ done: false, value: this.#take() });
      else this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<WatchBatch, undefined>> {
    this.end("returned");
    return Promise.resolve({ done: true, value: undefined });
  }

  #take(): WatchBatch {
    const batch = { revision: this.#received, changes: this.#changes };
    this.#yielded = this.#received;
    this.#changes = [];
    this.#bytes = 0;
    return batch;
  }

  #catchUp(): void {
    const compacted = this.#source.compactedRevision();
    if (this.#yielded < compacted) return this.end(new TooOld(compacted));
    if (this.#yielded < this.#source.revision()) {
      const page = this.#source.history(this.#prefix, this.#yielded);
      this.#received = page.revision;
      this.#changes.push(...page.changes);
    }
    this.#isLive = this.#received >= this.#source.revision();
  }
}
