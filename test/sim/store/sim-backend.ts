import { createHash } from "node:crypto";
import type { Disk, DiskFile } from "../../../src/base/disk.ts";
import type {
  Batch,
  Head,
  LogEntry,
  LogMark,
  LoggableBackend,
  Position,
  Removal,
  StoreState,
} from "../../../src/store/backend.ts";
import {
  POSITION_BYTES,
  decodeEntry,
  decodePosition,
  encodeEntry,
  encodePosition,
  headOf,
} from "../../../src/store/log-entry.ts";
import { openStore } from "../../../src/store/revisioned-store.ts";
import { StoreFull, type Revision, type Store } from "../../../src/store/store.ts";

const FILE = "store.log";
const SUM_BYTES = 8;
/** Before each batch's bytes: their length u32, and a checksum that tells a torn batch. */
const FRAME_BYTES = 4 + SUM_BYTES;

/** What the simulation's store is told besides its disk. */
export interface SimStoreOptions {
  readonly isVolatile?: (key: string) => boolean;
}

/** A store on `disk`: all in memory, and every batch appended to one file. */
export async function openSimStore(
  disk: Disk,
  folder: string,
  options: SimStoreOptions = {},
): Promise<Store> {
  return openStore(await SimBackend.open(disk, folder, options));
}

/** The simulation's engine. What is volatile reaches the platter with the next durable batch, or not at all. */
export class SimBackend implements LoggableBackend {
  readonly isVolatile: (key: string) => boolean;
  readonly isRoomy = true;
  state: StoreState | undefined;
  mark: LogMark | undefined;
  readonly #file: DiskFile;
  #length = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #heads = new SortedMap<Head>();
  readonly #log = new SortedMap<LogEntry>();

  constructor(file: DiskFile, { isVolatile = () => false }: SimStoreOptions) {
    this.#file = file;
    this.isVolatile = isVolatile;
  }

  static async open(
    disk: Disk,
    folder: string,
    options: SimStoreOptions = {},
  ): Promise<SimBackend> {
    const file = await disk.open(`${folder}/${FILE}`);
    await disk.syncFolder(folder);
    const backend = new SimBackend(file, options);
    await backend.#recover();
    return backend;
  }

  /** Replays whole batches; at the first torn one the file ends. */
  async #recover(): Promise<void> {
    const bytes = Buffer.from(await this.#file.read(0, await this.#file.size()));
    for (let at = 0; at + FRAME_BYTES <= bytes.length; at = this.#length) {
      const end = at + FRAME_BYTES + bytes.readUInt32BE(at);
      const body = bytes.subarray(at + FRAME_BYTES, end);
      if (end > bytes.length || !sumOf(body).equals(bytes.subarray(at + 4, at + FRAME_BYTES)))
        break;
      this.#keep(decodeWrite(body));
      this.#length = end;
    }
    await this.#file.truncate(this.#length);
    await this.#file.sync();
  }

  head(key: string): Head | undefined {
    return this.#heads.get(bytesOrder(key));
  }

  entry(_key: string, position: Position): LogEntry | undefined {
    return this.#log.get(positionOrder(position));
  }

  *heads(from: string, to: string): Iterable<readonly [string, Head]> {
    for (const [key, head] of this.#heads.range(bytesOrder(from), bytesOrder(to)))
      yield [Buffer.from(key, "latin1").toString(), head];
  }

  *entries(after: Revision, upTo: Revision): Iterable<LogEntry> {
    const from = positionOrder({ revision: after + 1, sub: 0 });
    const to = positionOrder({ revision: upTo + 1, sub: 0 });
    for (const [, entry] of this.#log.range(from, to)) yield entry;
  }

  write(batch: Batch): Promise<void> {
    return this.#append({ batches: [batch] });
  }

  apply(batches: readonly Batch[], mark: LogMark): Promise<void> {
    return this.#append({ batches, mark });
  }

  /** One at a time, since volatile writes go on beside a log's. */
  #append(written: Written): Promise<void> {
    const writing = this.#writing.then(() => this.#appendNow(written));
    this.#writing = writing.catch(() => {});
    return writing;
  }

  async #appendNow(written: Written): Promise<void> {
    const body = encodeWrite(written);
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32BE(body.length);
    sumOf(body).copy(frame, 4);
    try {
      await this.#file.write(this.#length, Buffer.concat([frame, body]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      throw new StoreFull("the simulated disk is full", { cause: error });
    }
    if (!written.batches.every(({ isVolatile }) => isVolatile)) await this.#file.sync();
    this.#length += FRAME_BYTES + body.length;
    this.#keep(written);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #keep({ batches, mark }: Written): void {
    for (const batch of batches) this.#keepBatch(batch);
    if (mark) this.mark = mark;
  }

  #keepBatch({ removals, entries, state }: Batch): void {
    for (const removal of removals) {
      if (removal.kind === "head") this.#heads.delete(bytesOrder(removal.key));
      else this.#log.delete(positionOrder(removal.position));
    }
    for (const entry of entries) {
      this.#log.set(positionOrder(entry.position), entry);
      this.#heads.set(bytesOrder(entry.key), headOf(entry));
    }
    if (state) this.state = state;
  }
}

/** A map that can be read in the order of its keys. */
class SortedMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #keys: string[] = [];

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  *range(from: string, to: string): Iterable<readonly [string, Value]> {
    for (let i = this.#indexOf(from); i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      if (key >= to) return;
      yield [key, this.#values.get(key)!];
    }
  }

  /** Where `key` stands, or would. */
  #indexOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A string that sorts as the key's bytes do. */
function bytesOrder(key: string): string {
  return Buffer.from(key).toString("latin1");
}

function positionOrder(position: Position): string {
  return encodePosition(position).toString("latin1");
}

function sumOf(body: Buffer): Buffer {
  return createHash("sha256").update(body).digest().subarray(0, SUM_BYTES);
}

/** What one frame of the file holds. */
interface Written {
  readonly batches: readonly Batch[];
  readonly mark?: LogMark;
}

/** JSON of the mark, then each batch; all with their length before them. */
function encodeWrite({ batches, mark }: Written): Buffer {
  const parts = [Buffer.from(JSON.stringify({ mark })), ...batches.map(encodeBatch)];
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]));
}

function decodeWrite(body: Buffer): Written {
  const [head, ...batches] = partsOf(body);
  const { mark } = JSON.parse(head!.toString()) as { mark?: LogMark };
  return { batches: batches.map(decodeBatch), ...(mark && { mark }) };
}

/** JSON of removals and state, then each entry; all with their length before them. */
function encodeBatch({ removals, entries, state }: Batch): Buffer {
  const head = Buffer.from(JSON.stringify({ removals, state }));
  const parts = entries.map((entry) =>
    Buffer.concat([encodePosition(entry.position), encodeEntry(entry)]),
  );
  return Buffer.concat([head, ...parts].flatMap((part) => [lengthOf(part), part]));
}

function decodeBatch(body: Buffer): Batch {
  const parts = partsOf(body);
  const head = JSON.parse(parts[0]!.toString()) as { removals: Removal[]; state?: StoreState };
  const entries = parts
    .slice(1)
    .map((part) => decodeEntry(decodePosition(part), part.subarray(POSITION_BYTES)));
  return { isVolatile: false, ...head, entries };
}

function partsOf(body: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = at + 4 + body.readUInt32BE(at);
    parts.push(body.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

function lengthOf(part: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(part.length);
  return bytes;
}
