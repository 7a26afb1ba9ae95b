import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { StoreUnreadable } from "./store-unreadable.ts";

/**
 * Bytes that a healthy file may lack at its end: pages a transaction took and gave back are counted, never written.
 * A group of commits has 8 MiB of values at most and gives back only a few; doubling hides larger damage until it is read.
 */
const LACK_BYTES_MAX = 1024 * 1024;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** Offsets inside a meta page. @spec lmdb-js 3.5 mdb.c MDB_page, MDB_meta (64-bit, little endian) */
const AT = { magic: 24, version: 28, pageBytes: 48, lastPage: 144, transaction: 152 } as const;
const META_BYTES = 160;

/**
 * Refuses a file that is none of LMDB's, or was cut short; makes a healthy one as long as its newest meta page says.
 *
 * Why before LMDB sees it: a read behind the end of a mapped file ends the process (SIGBUS), without a word.
 * Zeros that were filled in are found by LMDB itself, as a page of no kind.
 * @throws {StoreUnreadable}
 */
export function checkFile(file: string): void {
  const handle = openExisting(file);
  if (handle === undefined) return;
  try {
    const { size } = fstatSync(handle);
    if (size === 0) return;
    const needed = neededBytes(handle, file);
    if (size >= needed) return;
    if (needed - size > LACK_BYTES_MAX)
      throw new StoreUnreadable(file, `it has ${size} bytes of ${needed}`);
    ftruncateSync(handle, needed);
  } finally {
    closeSync(handle);
  }
}

function openExisting(file: string): number | undefined {
  try {
    return openSync(file, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new StoreUnreadable(file, String(error), error);
  }
}

function neededBytes(handle: number, file: string): number {
  const first = readMeta(handle, 0);
  // The library crashes when LMDB refuses a file (a double free), so it never gets to see one.
  if (!first) throw new StoreUnreadable(file, "it is no LMDB file of this version");
  const second = readMeta(handle, first.pageBytes);
  const newest = second && second.transaction > first.transaction ? second : first;
  return (Number(newest.lastPage) + 1) * first.pageBytes;
}

function readMeta(
  handle: number,
  at: number,
): { pageBytes: number; lastPage: bigint; transaction: bigint } | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(handle, bytes, 0, META_BYTES, at) < META_BYTES) return undefined;
  if (bytes.readUInt32LE(AT.magic) !== MAGIC) return undefined;
  if (bytes.readUInt16LE(AT.version) !== DATA_VERSION) return undefined;
  return {
    pageBytes: bytes.readUInt32LE(AT.pageBytes),
    lastPage: bytes.readBigUInt64LE(AT.lastPage),
    transaction: bytes.readBigUInt64LE(AT.transaction),
  };
}
