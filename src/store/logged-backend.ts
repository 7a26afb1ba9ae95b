import { assert } from "../base/assert.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type {
  Backend,
  Batch,
  Head,
  LogEntry,
  LogSegment,
  LoggableBackend,
  Position,
  StoreState,
} from "./backend.ts";
import { RECORD_HEADER_BYTES, missingBatches, recordBytes, writeRecord } from "./log-record.ts";
import { compareKeys, comparePositions, merged } from "./order.ts";
import { Overlay } from "./overlay.ts";
import { StoreFull, type Revision } from "./store.ts";

/** Bytes of one file of the log. Doubling doubles the disk it takes, what a start may have to repeat, and the memory of the overlay. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** What a record may have; a larger batch goes to the backend at once: it would fill the log, and waits for the disk's speed more than for its flushes. */
const RECORD_BYTES_MAX = 1024 * 1024;
const RECORD_ENTRIES_MAX = 1024;
/** Entries that one segment may hold. Each may cost LMDB two pages: it bounds the room that must be free. */
const SEGMENT_ENTRIES_MAX = 4000;
/** From this share of a segment on, it goes to the backend, while the other one takes what comes. */
const DUE_SHARE = 0.5;
/** How long a record lies in the log alone. Doubling makes few commits cheaper, and the next start repeat more. */
const DUE_MS = 1000;
/** Entries written to the backend in one go. Bounds how long requests wait meanwhile: some 2 ms. */
const STEP_ENTRIES_MAX = 256;
/** Bytes by which a segment grows: blocks that later records need not ask the file system for. */
const GROWTH_BYTES = 256 * 1024;

/** Bytes of the buffer for records: a group of twenty Pods. Doubling takes that much more memory for nothing. */
const SCRATCH_BYTES = 64 * 1024;

/** What was logged to one segment since it was last empty. */
interface Generation {
  readonly segment: LogSegment;
  readonly overlay: Overlay;
  /** Batches that the backend lacks, in order. */
  batches: Batch[];
  /** Where the next record goes. */
  end: number;
}

/**
 * A log before a backend: a batch is durable after one small sequential write; the backend gets it later, with many others.
 *
 * Flow: encode → append to the active segment, one write, flushed → overlay → resolve. When the segment is half full, or
 * old, the other one becomes active, and the first one's batches go to the backend in order, in steps; then it is empty.
 * Guarantees: what has resolved is in the log or, with the mark that says so, in the backend, at every moment.
 * Straight to the backend, after all that was logged: removals, changes of the state alone (opening, compaction, the
 * clean end, which so leaves an empty log), large batches, and everything while the disk has little room.
 * Errors: `StoreFull` of the backend leaves the batches in log and overlay, and refuses all later ones until a repeat has
 * succeeded; each write repeats. Any other failure: all later writes fail with it.
 */
export class LoggedBackend implements Backend {
  readonly gathersTurns = true;
  readonly #inner: LoggableBackend;
  readonly #clock: Clock;
  readonly #idBytes: Buffer;
  readonly #id: string;
  /** Sequence of the last record, and of the last one whose batch is in the backend. */
  #logged = 0;
  #applied = 0;
  #active: Generation;
  /** What goes to the backend now, or did not fit there. */
  #older: Generation;
  /** For records, one at a time: a buffer of its own for each would be garbage at once. */
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #checkpoint: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isDue = false;
  #isAppending = false;
  /** Whether the backend knows `#id`: before, nothing may be logged under it. */
  #isMarked = false;
  #isClosed = false;
  /** Why `#older` is not in the backend: it was full, and is to be asked again. */
  #refusal: StoreFull | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Use {@link openLogged}. */
  constructor(
    inner: LoggableBackend,
    segments: readonly [LogSegment, LogSegment],
    id: string,
    clock: Clock,
  ) {
    this.#inner = inner;
    this.#clock = clock;
    this.#id = id;
    this.#idBytes = Buffer.from(id, "hex");
    this.#active = generation(segments[0]);
    this.#older = generation(segments[1]);
  }

  get state(): StoreState | undefined {
    return this.#inner.state;
  }

  isVolatile(key: string): boolean {
    return this.#inner.isVolatile(key);
  }

  head(key: string): Head | undefined {
    return this.#active.overlay.head(key) ?? this.#older.overlay.head(key) ?? this.#inner.head(key);
  }

  entry(key: string, position: Position): LogEntry | undefined {
    return (
      this.#active.overlay.entry(key, position) ??
      this.#older.overlay.entry(key, position) ??
      this.#inner.entry(key, position)
    );
  }

  heads(from: string, to: string): Iterable<readonly [string, Head]> {
    const inner = this.#inner.heads(from, to);
    const [active, older] = [this.#active.overlay, this.#older.overlay];
    if (active.size + older.size === 0) return inner;
    const byKey = ([a]: readonly [string, Head], [b]: readonly [string, Head]): number =>
      compareKeys(a, b);
    const logged = merged(active.heads(from, to), older.heads(from, to), byKey);
    return merged(logged, generatorOf(inner), byKey);
  }

  entries(after: Revision, upTo: Revision): Iterable<LogEntry> {
    const inner = this.#inner.entries(after, upTo);
    const [active, older] = [this.#active.overlay, this.#older.overlay];
    if (active.size + older.size === 0) return inner;
    const byPosition = (a: LogEntry, b: LogEntry): number =>
      comparePositions(a.position, b.position);
    const logged = merged(active.entries(after, upTo), older.entries(after, upTo), byPosition);
    return merged(logged, generatorOf(inner), byPosition);
  }

  async write(batch: Batch): Promise<void> {
    if (batch.isVolatile) return this.#inner.write(batch);
    if (this.#failure) throw this.#failure.error;
    const stateText = batch.state ? JSON.stringify(batch.state) : "";
    const bytes = isLoggable(batch) ? recordBytes(batch.entries, stateText) : Infinity;
    if (bytes > RECORD_BYTES_MAX || !this.#isMarked) return this.#writeThrough(batch);
    // What was refused by the backend is tried again before anything is added to it.
    if (this.#refusal) await this.#drain();
    if (!this.#fits(bytes, batch)) await this.#makeRoom();
    const isPlaced = this.#active.end > 0 || this.#inner.isRoomy;
    if (!isPlaced || !(await this.#append(batch, bytes, stateText)))
      await this.#writeThrough(batch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#checkpoint;
    await this.#inner.close();
    for (const { segment } of [this.#active, this.#older]) await segment.close();
  }

  /** @returns false: the segment cannot grow, and nothing was written. */
  async #append(batch: Batch, bytes: number, stateText: string): Promise<boolean> {
    const active = this.#active;
    this.#isAppending = true;
    try {
      if (active.end + bytes > active.segment.bytes && !(await this.#hasGrown(active, bytes)))
        return false;
      const record =
        bytes <= this.#scratch.length
          ? this.#scratch.subarray(0, bytes)
          : Buffer.allocUnsafeSlow(bytes);
      writeRecord(record, this.#idBytes, this.#logged + 1, batch.entries, stateText);
      const isAlone = batch.entries.length === 1 && !this.#checkpoint;
      await this.#writeRecord(active, record, isAlone);
    } finally {
      this.#isAppending = false;
    }
    this.#logged++;
    active.end += bytes;
    active.batches.push(batch);
    active.overlay.add(batch.entries);
    if (isHalfFull(active)) this.#isDue = true;
    else this.#timer ??= this.#clock.after(DUE_MS, () => this.#becomeDue());
    this.#turnIfDue();
    return true;
  }

  /** Zeros are no record: some that stay of a growth that failed do no harm. */
  async #hasGrown({ segment, end }: Generation, bytes: number): Promise<boolean> {
    const needed = end + bytes - segment.bytes;
    try {
      await segment.write(segment.bytes, Buffer.alloc(Math.max(needed, GROWTH_BYTES)));
      return true;
    } catch (error) {
      if (error instanceof StoreFull) return false;
      throw this.#fail(error);
    }
  }

  /** `isAlone`: nobody else waits, and nothing else of the store goes to the disk. */
  async #writeRecord(
    { segment, end }: Generation,
    record: Buffer,
    isAlone: boolean,
  ): Promise<void> {
    try {
      await segment.write(end, record, isAlone);
    } catch (error) {
      if (!(error instanceof StoreFull)) throw this.#fail(error);
      // A file system that copies on write. What is refused now must not be found whole after a crash.
      await segment.write(end, Buffer.alloc(RECORD_HEADER_BYTES)).catch((cause: unknown) => {
        throw this.#fail(new Error("a refused record stays in the log", { cause }));
      });
      throw error;
    }
  }

  async #writeThrough(batch: Batch): Promise<void> {
    await this.#drain();
    assert(this.#applied === this.#logged, "a write may not overtake the log");
    await this.#apply([batch], this.#applied);
    this.#isMarked = true;
  }

  /** Resolves when the backend has all that was logged. @throws what keeps it from that. */
  async #drain(): Promise<void> {
    for (;;) {
      while (this.#checkpoint) await this.#checkpoint;
      if (this.#failure) throw this.#failure.error;
      if (this.#refusal) {
        await this.#startCheckpoint();
        if (this.#refusal) throw this.#refusal;
      } else if (this.#active.batches.length > 0) this.#turn();
      else return;
    }
  }

  /** Waits while both segments are in use, which slows writers down to the backend's pace. */
  async #makeRoom(): Promise<void> {
    await this.#checkpoint;
    if (this.#failure) throw this.#failure.error;
    if (this.#refusal) await this.#drain();
    // Unless the end of the checkpoint has turned already.
    else if (!this.#checkpoint) this.#turn();
  }

  #fits(bytes: number, { entries }: Batch): boolean {
    const { end, overlay } = this.#active;
    return end + bytes <= SEGMENT_BYTES && overlay.size + entries.length <= SEGMENT_ENTRIES_MAX;
  }

  #becomeDue(): void {
    this.#timer = undefined;
    this.#isDue = true;
    this.#turnIfDue();
  }

  #turnIfDue(): void {
    const isBusy = this.#isAppending || this.#checkpoint || this.#refusal;
    if (this.#isDue && !isBusy && !this.#isClosed) this.#turn();
  }

  /** Makes the empty segment the active one, and brings the other one's batches to the backend. */
  #turn(): void {
    const { segment } = this.#older;
    assert(!this.#checkpoint && !this.#isAppending, "the log is in use");
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isDue = false;
    this.#older = this.#active;
    this.#active = generation(segment);
    void this.#startCheckpoint();
  }

  #startCheckpoint(): Promise<void> {
    this.#checkpoint = this.#flush().finally(() => {
      this.#checkpoint = undefined;
      this.#turnIfDue();
    });
    return this.#checkpoint;
  }

  /** Never rejects: what goes wrong is left for the next write. */
  async #flush(): Promise<void> {
    const older = this.#older;
    this.#refusal = undefined;
    try {
      while (older.batches.length > 0) {
        const step = stepOf(older.batches);
        await this.#apply(step, this.#applied + step.length);
        this.#applied += step.length;
        older.batches = older.batches.slice(step.length);
      }
      this.#older = generation(older.segment);
    } catch (error) {
      // Any other error is kept already, as a failure.
      if (error instanceof StoreFull) this.#refusal = error;
    }
  }

  async #apply(batches: readonly Batch[], sequence: number): Promise<void> {
    try {
      await this.#inner.apply(batches, { id: this.#id, sequence });
    } catch (error) {
      throw error instanceof StoreFull ? error : this.#fail(error);
    }
  }

  #fail(error: unknown): unknown {
    this.#failure ??= { error };
    return error;
  }
}

/**
 * A log before `inner`; what its segments hold and `inner` lacks is brought there first.
 *
 * @throws {LogDamaged} {StoreFull} no space for what is in the log: nothing is lost, make some and open again.
 */
export async function openLogged(
  inner: LoggableBackend,
  segments: readonly [LogSegment, LogSegment],
  id: string,
  clock: Clock,
): Promise<LoggedBackend> {
  const { mark, state } = inner;
  // A clean end leaves nothing in the log; a store that was put back as it was then wants nothing of a later one.
  if (mark && !state?.isClean) {
    const found = [];
    for (const segment of segments) found.push({ name: segment.name, bytes: await segment.read() });
    let { sequence } = mark;
    for (let missing = missingBatches(found, mark); missing.length > 0;) {
      const step = stepOf(missing);
      sequence += step.length;
      await inner.apply(step, { id: mark.id, sequence });
      missing = missing.slice(step.length);
    }
  }
  return new LoggedBackend(inner, segments, id, clock);
}

function generation(segment: LogSegment): Generation {
  return { segment, overlay: new Overlay(), batches: [], end: 0 };
}

/** Commits, with the high-water mark that they may move. The rest is rare, and is where LMDB itself must not lag. */
function isLoggable({ entries, removals }: Batch): boolean {
  return entries.length > 0 && entries.length <= RECORD_ENTRIES_MAX && removals.length === 0;
}

function isHalfFull({ end, overlay }: Generation): boolean {
  return end >= SEGMENT_BYTES * DUE_SHARE || overlay.size >= SEGMENT_ENTRIES_MAX * DUE_SHARE;
}

/** The first of `batches`: at least one, and not many more entries than one transaction is to have. */
function stepOf(batches: readonly Batch[]): readonly Batch[] {
  let entries = 0;
  const end = batches.findIndex((batch) => (entries += batch.entries.length) > STEP_ENTRIES_MAX);
  return batches.slice(0, end < 0 ? batches.length : Math.max(1, end));
}

function* generatorOf<T>(values: Iterable<T>): Generator<T, undefined> {
  yield* values;
  return undefined;
}
