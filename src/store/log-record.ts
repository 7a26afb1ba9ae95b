import { checksum } from "../base/checksum.ts";
import type { Batch, LogEntry, LogMark, StoreState } from "./backend.ts";
import {
  ENTRY_HEADER_BYTES,
  POSITION_BYTES,
  decodeEntry,
  decodePosition,
  writeEntry,
  writePosition,
} from "./log-entry.ts";

/**
 * Bytes before a record's body: id of the opening (8), sequence u64, length of the body u32, CRC-32 u32 of what lies
 * between the id and itself and of the body.
 */
export const RECORD_HEADER_BYTES = 24;
/** Records begin at multiples of this, so that a search for them looks at few places. */
const ALIGN_BYTES = 8;
const ID_BYTES = 8;
/** Bytes of an entry's frame: its position, and the length of what follows. */
const FRAME_BYTES = POSITION_BYTES + 4;

/** A batch as the write-ahead log holds it. */
export interface LogRecord {
  readonly sequence: number;
  readonly batch: Batch;
}

/** Bytes of the record of a batch without removals, all padding included. `stateText`: its state as JSON. */
export function recordBytes(entries: readonly LogEntry[], stateText: string): number {
  let bytes = RECORD_HEADER_BYTES + 4 + Buffer.byteLength(stateText);
  for (const entry of entries) bytes += FRAME_BYTES + entryBytes(entry);
  return aligned(bytes);
}

/** Writes the record at the start of `target`, which has exactly its bytes. */
export function writeRecord(
  target: Buffer,
  id: Buffer,
  sequence: number,
  entries: readonly LogEntry[],
  stateText: string,
): void {
  id.copy(target, 0);
  writeNumber(target, ID_BYTES, sequence);
  let at = RECORD_HEADER_BYTES + 4;
  const stateBytes = target.write(stateText, at);
  target.writeUInt32BE(stateBytes, RECORD_HEADER_BYTES);
  at += stateBytes;
  for (const entry of entries) {
    writePosition(target, at, entry.position.revision, entry.position.sub);
    const bytes = writeEntry(target, at + FRAME_BYTES, entry);
    target.writeUInt32BE(bytes, at + POSITION_BYTES);
    at += FRAME_BYTES + bytes;
  }
  target.fill(0, at);
  target.writeUInt32BE(at - RECORD_HEADER_BYTES, 16);
  target.writeUInt32BE(sumOf(target, at), 20);
}

/**
 * All whole records of the opening `id` in a segment of the log, wherever they lie.
 *
 * Why not one after the other from the start: what is left of an earlier use of the segment must be told from a record
 * that was damaged, and that shows only in whether later ones follow.
 */
export function* findRecords(bytes: Buffer, id: Buffer): Generator<LogRecord> {
  for (let at = bytes.indexOf(id); at >= 0;) {
    const record = at % ALIGN_BYTES === 0 ? readRecord(bytes, at) : undefined;
    if (record) yield record.record;
    at = bytes.indexOf(id, record?.end ?? at + 1);
  }
}

/** The log was damaged. Not normal; `segment` names the file. */
export class LogDamaged extends Error {
  override readonly name = "LogDamaged";
  readonly segment: string;

  constructor(segment: string, reason: string) {
    super(reason);
    this.segment = segment;
  }
}

/**
 * The batches that follow `mark`, in order.
 *
 * A record without a good one after it was being written when the machine stopped, and nobody was told of it.
 * @throws {LogDamaged} records are missing before good ones.
 */
export function missingBatches(
  segments: readonly { readonly name: string; readonly bytes: Buffer }[],
  mark: LogMark,
): readonly Batch[] {
  const id = Buffer.from(mark.id, "hex");
  const later = segments
    .flatMap(({ name, bytes }) =>
      [...findRecords(bytes, id)].map((record) => ({ ...record, name })),
    )
    .filter(({ sequence }) => sequence > mark.sequence)
    .sort((a, b) => a.sequence - b.sequence);
  later.forEach(({ sequence, name }, index) => {
    const expected = mark.sequence + 1 + index;
    if (sequence !== expected)
      throw new LogDamaged(
        name,
        `record ${expected} is damaged, and record ${sequence} follows it`,
      );
  });
  return later.map(({ batch }) => batch);
}

function readRecord(
  bytes: Buffer,
  at: number,
): { readonly record: LogRecord; readonly end: number } | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  const end = at + RECORD_HEADER_BYTES + bytes.readUInt32BE(at + 16);
  if (end > bytes.length) return undefined;
  const record = bytes.subarray(at, end);
  if (sumOf(record, record.length) !== record.readUInt32BE(20)) return undefined;
  const sequence = record.readUInt32BE(ID_BYTES) * 2 ** 32 + record.readUInt32BE(ID_BYTES + 4);
  return { record: { sequence, batch: readBatch(record) }, end: aligned(end) };
}

function readBatch(record: Buffer): Batch {
  let at = RECORD_HEADER_BYTES + 4;
  const stateEnd = at + record.readUInt32BE(RECORD_HEADER_BYTES);
  const stateText = record.toString("utf8", at, stateEnd);
  const entries: LogEntry[] = [];
  for (at = stateEnd; at < record.length;) {
    const start = at + FRAME_BYTES;
    const end = start + record.readUInt32BE(at + POSITION_BYTES);
    entries.push(decodeEntry(decodePosition(record, at), record.subarray(start, end)));
    at = end;
  }
  const state = stateText === "" ? undefined : (JSON.parse(stateText) as StoreState);
  return { isVolatile: false, removals: [], entries, ...(state && { state }) };
}

/** Of the record that begins at the start of `bytes` and whose body ends at `end`. */
function sumOf(bytes: Buffer, end: number): number {
  return checksum(
    bytes.subarray(RECORD_HEADER_BYTES, end),
    checksum(bytes.subarray(ID_BYTES, 20), 0),
  );
}

function entryBytes({ key, value }: LogEntry): number {
  return ENTRY_HEADER_BYTES + Buffer.byteLength(key) + (value?.length ?? 0);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES;
}

function writeNumber(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  bytes.writeUInt32BE(value % 2 ** 32, at + 4);
}
