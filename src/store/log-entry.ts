import { copyBytes } from "../base/uncounted-bytes.ts";
import type { Head, LogEntry, Position } from "./backend.ts";
import type { Change, Revision, StoredRecord } from "./store.ts";

const KIND_PUT = 1;
const KIND_DELETE = 2;
/** Bytes of a position: revision u64, sub u16, big endian, so that the bytes sort as the numbers do. */
export const POSITION_BYTES = 10;
/** Bytes before the key: kind u8, key length u16, previous position (zeros: none), create revision u64. */
export const ENTRY_HEADER_BYTES = 1 + 2 + POSITION_BYTES + 8;
const HEAD_BYTES = POSITION_BYTES + 8 + 1;

/** The bytes of a position, in the order of positions. */
export function encodePosition({ revision, sub }: Position): Buffer {
  const bytes = Buffer.allocUnsafe(POSITION_BYTES);
  writePosition(bytes, 0, revision, sub);
  return bytes;
}

/** @throws {RangeError} `bytes` is too short. */
export function decodePosition(bytes: Buffer, at = 0): Position {
  return { revision: readRevision(bytes, at), sub: bytes.readUInt16BE(at + 8) };
}

/** Everything of an entry but its position, which is its key in the log. The value is copied once, to where `allocate` says. */
export function encodeEntry(
  entry: LogEntry,
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const bytes = allocate(
    ENTRY_HEADER_BYTES + Buffer.byteLength(entry.key) + (entry.value?.length ?? 0),
  );
  writeEntry(bytes, 0, entry);
  return bytes;
}

/** Writes at `at` what {@link encodeEntry} gives. @returns how many bytes that is. */
export function writeEntry(bytes: Buffer, at: number, entry: LogEntry): number {
  bytes[at] = entry.kind === "put" ? KIND_PUT : KIND_DELETE;
  const keyBytes = bytes.write(entry.key, at + ENTRY_HEADER_BYTES);
  bytes.writeUInt16BE(keyBytes, at + 1);
  writePosition(bytes, at + 3, entry.previous?.revision ?? 0, entry.previous?.sub ?? 0);
  writeRevision(bytes, at + 3 + POSITION_BYTES, entry.createRevision);
  const valueAt = at + ENTRY_HEADER_BYTES + keyBytes;
  if (!entry.value) return valueAt - at;
  return valueAt - at + copyBytes(entry.value, 0, entry.value.length, bytes, valueAt);
}

/** `valueAt`: makes the value of its place in `bytes`; a view of it unless told. @throws {RangeError} no entry. */
export function decodeEntry(
  position: Position,
  bytes: Buffer,
  valueAt: (from: number, to: number) => Buffer = (from, to) => bytes.subarray(from, to),
): LogEntry {
  const kind = bytes[0];
  const keyEnd = ENTRY_HEADER_BYTES + bytes.readUInt16BE(1);
  if ((kind !== KIND_PUT && kind !== KIND_DELETE) || keyEnd > bytes.length)
    throw new RangeError(`revision ${position.revision} holds no log entry`);
  const previous = decodePosition(bytes, 3);
  return {
    kind: kind === KIND_PUT ? "put" : "delete",
    key: bytes.toString("utf8", ENTRY_HEADER_BYTES, keyEnd),
    position,
    ...(previous.revision > 0 && { previous }),
    createRevision: readRevision(bytes, 3 + POSITION_BYTES),
    ...(kind === KIND_PUT && { value: valueAt(keyEnd, bytes.length) }),
  };
}

/** The bytes of a key's newest version. */
export function encodeHead(head: Head): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  writePosition(bytes, 0, head.position.revision, head.position.sub);
  writeRevision(bytes, POSITION_BYTES, head.createRevision);
  bytes[HEAD_BYTES - 1] = head.isDeleted ? 1 : 0;
  return bytes;
}

/** @throws {RangeError} no head. */
export function decodeHead(bytes: Buffer): Head {
  if (bytes.length !== HEAD_BYTES) throw new RangeError(`a head has ${HEAD_BYTES} bytes`);
  return {
    position: decodePosition(bytes),
    createRevision: readRevision(bytes, POSITION_BYTES),
    isDeleted: bytes[HEAD_BYTES - 1] === 1,
  };
}

/** The head that `entry` makes of its key. */
export function headOf({ position, createRevision, kind }: LogEntry): Head {
  return { position, createRevision, isDeleted: kind === "delete" };
}

/** @returns `undefined` for a deletion. */
export function recordOf(entry: LogEntry): StoredRecord | undefined {
  if (entry.kind === "delete") return undefined;
  const { key, value, createRevision, position } = entry;
  return { key, value: value!, createRevision, modRevision: position.revision };
}

/** What watches see of an entry: one that creates its key has nothing before it, even where the log links a deletion. */
export function changeOf({
  kind,
  key,
  position,
  previous,
  createRevision,
  value,
}: LogEntry): Change {
  const isCreation = kind === "put" && createRevision === position.revision;
  return {
    kind,
    key,
    revision: position.revision,
    createRevision,
    ...(value && { value }),
    previousRevision: isCreation ? 0 : (previous?.revision ?? 0),
  };
}

/** The bytes of a position, as {@link encodePosition} gives them. */
export function writePosition(bytes: Buffer, at: number, revision: Revision, sub: number): void {
  writeRevision(bytes, at, revision);
  bytes.writeUInt16BE(sub, at + 8);
}

/** Two words, because BigInt would cost an allocation each. */
function writeRevision(bytes: Buffer, at: number, revision: Revision): void {
  bytes.writeUInt32BE(Math.floor(revision / 2 ** 32), at);
  bytes.writeUInt32BE(revision % 2 ** 32, at + 4);
}

function readRevision(bytes: Buffer, at: number): Revision {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
