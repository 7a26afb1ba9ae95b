import type { Database } from "lmdb";
import { POSITION_BYTES, decodeEntry, decodeHead, decodePosition } from "../log-entry.ts";
import { encodeEntry, encodeHead, encodePosition, headOf } from "../log-entry.ts";
import type {
  Batch,
  Head,
  LogEntry,
  LogMark,
  LoggableBackend,
  Position,
  Removal,
  StoreState,
} from "../backend.ts";
import { compareKeys, merged } from "../order.ts";
import type { Revision } from "../store.ts";
import { append, openEnvironment, transact, type Environment } from "./environment.ts";
import { Room } from "./room.ts";
import { ValueSlab } from "./value-slab.ts";
import { StoreUnreadable } from "./store-unreadable.ts";
import { WriteScratch } from "./write-scratch.ts";

const STATE_KEY = Buffer.from("store");
const MARK_KEY = Buffer.from("log");

/**
 * Two LMDB files with one line of revisions: `durable.mdb`, flushed at every commit, and `volatile.mdb`, flushed behind.
 *
 * Why two: a heartbeat or an event must not cost a flush, and LMDB syncs a file as a whole.
 */
export class LmdbBackend implements LoggableBackend {
  readonly gathersTurns = true;
  state: StoreState | undefined;
  mark: LogMark | undefined;
  readonly isVolatile: (key: string) => boolean;
  readonly #durable: Environment;
  readonly #volatile: Environment;
  readonly #slab = new ValueSlab();
  readonly #scratch = new WriteScratch();
  readonly #durableRoom: Room;
  readonly #volatileRoom: Room;

  private constructor(
    durable: Environment,
    volatile: Environment,
    isVolatile: (key: string) => boolean,
  ) {
    this.#durable = durable;
    this.#volatile = volatile;
    this.#durableRoom = new Room(durable.file);
    this.#volatileRoom = new Room(volatile.file);
    this.isVolatile = isVolatile;
    this.state = stored<StoreState>(durable, STATE_KEY);
    this.mark = stored<LogMark>(durable, MARK_KEY);
  }

  /** @throws {StoreUnreadable} */
  static async open(folder: string, isVolatile: (key: string) => boolean): Promise<LmdbBackend> {
    const durable = await openEnvironment(`${folder}/durable.mdb`, false);
    try {
      const volatile = await openEnvironment(`${folder}/volatile.mdb`, true);
      return new LmdbBackend(durable, volatile, isVolatile);
    } catch (error) {
      await durable.root.close();
      throw error;
    }
  }

  head(key: string): Head | undefined {
    const environment = this.#of(key);
    return readable(environment, () => {
      // The library's own buffer, which the next read overwrites.
      const bytes = environment.heads.getBinaryFast(Buffer.from(key));
      return bytes && decodeHead(bytes);
    });
  }

  entry(key: string, position: Position): LogEntry | undefined {
    const environment = this.#of(key);
    return readable(environment, () => {
      // The library's own buffer, which the next read overwrites.
      const bytes = environment.log.getBinaryFast(encodePosition(position));
      return bytes && decodeEntry(position, bytes, (from, to) => this.#slab.copy(bytes, from, to));
    });
  }

  heads(from: string, to: string): Iterable<readonly [string, Head]> {
    const [start, end] = [Buffer.from(from), Buffer.from(to)];
    return merged(
      headsOf(this.#durable, start, end),
      headsOf(this.#volatile, start, end),
      ([a], [b]) => compareKeys(a, b),
    );
  }

  entries(after: Revision, upTo: Revision): Iterable<LogEntry> {
    return merged(
      entriesOf(this.#durable, after, upTo),
      entriesOf(this.#volatile, after, upTo),
      (a, b) => a.position.revision - b.position.revision,
    );
  }

  get isRoomy(): boolean {
    return this.#durableRoom.isAmple;
  }

  async write(batch: Batch): Promise<void> {
    await this.#write(batch.isVolatile ? this.#volatile : this.#durable, [batch]);
  }

  async apply(batches: readonly Batch[], mark: LogMark): Promise<void> {
    await this.#write(this.#durable, batches, mark);
    this.mark = mark;
  }

  async close(): Promise<void> {
    await this.#volatile.root.close();
    await this.#durable.root.close();
  }

  async #write(environment: Environment, batches: readonly Batch[], mark?: LogMark): Promise<void> {
    const state = batches.findLast((batch) => batch.state)?.state;
    // A clean end vouches for the volatile keys too.
    if (state?.isClean) await this.#volatile.root.flushed;
    const room = environment === this.#volatile ? this.#volatileRoom : this.#durableRoom;
    room.take(batches);
    const removed = batches.flatMap(({ removals }) =>
      removals.flatMap((removal) => this.#removedBy(environment, removal)),
    );
    await this.#scratch.during(() =>
      transact(environment, () => {
        if (mark) void environment.state.put(MARK_KEY, Buffer.from(JSON.stringify(mark)));
        return batches.flatMap((batch) => writesOf(environment, batch, this.#scratch));
      }),
    );
    for (const entry of removed) room.reclaimed(entry);
    if (state) this.state = state;
    environment.log.resetReadTxn();
  }

  #removedBy(environment: Environment, removal: Removal): readonly LogEntry[] {
    if (removal.kind === "head") return [];
    const bytes = environment.log.get(encodePosition(removal.position));
    return bytes ? [readable(environment, () => decodeEntry(removal.position, bytes))] : [];
  }

  #of(key: string): Environment {
    return this.isVolatile(key) ? this.#volatile : this.#durable;
  }
}

/** @returns the results of the appends; the others cannot fail alone. */
function writesOf(
  { heads, log, state }: Environment,
  batch: Batch,
  scratch: WriteScratch,
): Promise<boolean>[] {
  for (const removal of batch.removals) {
    if (removal.kind === "head") void heads.remove(Buffer.from(removal.key));
    else void log.remove(encodePosition(removal.position));
  }
  if (batch.state) void state.put(STATE_KEY, Buffer.from(JSON.stringify(batch.state)));
  return batch.entries.map((entry) => {
    void heads.put(Buffer.from(entry.key), encodeHead(headOf(entry)));
    return append(log, encodePosition(entry.position), encodeEntry(entry, scratch.allocate));
  });
}

function* headsOf(
  environment: Environment,
  start: Buffer,
  end: Buffer,
): Generator<readonly [string, Head], undefined> {
  yield* readableRange(environment, environment.heads, start, end, (key, value) => [
    key.toString(),
    decodeHead(value),
  ]);
  return undefined;
}

function* entriesOf(
  environment: Environment,
  after: Revision,
  upTo: Revision,
): Generator<LogEntry, undefined> {
  const start = encodePosition({ revision: after + 1, sub: 0 });
  const end = encodePosition({ revision: upTo + 1, sub: 0 });
  yield* readableRange(environment, environment.log, start, end, (key, value) => {
    if (key.length !== POSITION_BYTES) throw new RangeError("a key of the log has no position");
    return decodeEntry(decodePosition(key), value);
  });
  return undefined;
}

/** What a range of a table holds. Whatever reading or decoding throws, the file is damaged. */
function* readableRange<T>(
  { file }: Environment,
  table: Database<Buffer, Buffer>,
  start: Buffer,
  end: Buffer,
  decode: (key: Buffer, value: Buffer) => T,
): Generator<T, undefined> {
  try {
    for (const { key, value } of table.getRange({ start, end })) yield decode(key, value);
  } catch (error) {
    throw new StoreUnreadable(file, String(error), error);
  }
  return undefined;
}

/** Runs a read. Whatever it throws, the file is damaged. */
function readable<T>({ file }: Environment, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new StoreUnreadable(file, String(error), error);
  }
}

function stored<T>(environment: Environment, key: Buffer): T | undefined {
  return readable(environment, () => {
    const bytes = environment.state.get(key);
    return bytes && (JSON.parse(bytes.toString()) as T);
  });
}
