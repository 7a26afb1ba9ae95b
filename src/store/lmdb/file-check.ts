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
const AT = {
  magic: 24,
  version: 28,
  pageBytes: 48,
  flags: 52,
  lastPage: 144,
  transaction: 152,
} as const;
const META_BYTES = 160;
/** What the library takes: powers of two. */
const PAGE_BYTES: ReadonlySet<number> = new Set([4096, 8192, 16_384, 32_768, 65_536]);
/** Says of a meta page that what it refers to was not flushed before it. @spec lmdb-js MDB_OVERLAPPINGSYNC */
const FLAG_UNFLUSHED = 0x1000;

interface Meta {
  readonly pageBytes: number;
  readonly isFlushed: boolean;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/**
 * Refuses a file that is none of LMDB's, or was cut short; makes a healthy one as long as its newest meta page says.
 *
 * Why before LMDB sees it: a read behind the end of a mapped file ends the process (SIGBUS), without a word.
 * Zeros that were filled in are found by LMDB itself, as a page of no kind.
 * Why a short file may be healthy: a power loss can leave a meta page of the lazy file, and not the pages it refers to.
 * LMDB then goes back to the newest flushed one, so only that one's pages must be there.
 * @throws {StoreUnreadable}
 */
export function checkFile(file: string): void {
  const handle = openExisting(file);
  if (handle === undefined) return;
  try {
    const { size } = fstatSync(handle);
    if (size === 0) return;
    const metas = readMetas(handle, file);
    const needed = neededBytes(metas.filter(({ isFlushed }) => isFlushed));
    if (needed - size > LACK_BYTES_MAX)
      throw new StoreUnreadable(file, `it has ${size} bytes of ${needed}`);
    const full = neededBytes(metas);
    if (size < full) ftruncateSync(handle, full);
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

/** The two meta pages, and the one in the middle of the first page that follows the flushes of a lazy file. */
function readMetas(handle: number, file: string): readonly Meta[] {
  const first = readMeta(handle, 0);
  // The library crashes when LMDB refuses a file (a double free), so it never gets to see one.
  if (!first || !isMeta(first))
    throw new StoreUnreadable(file, "it is no LMDB file of this version");
  const { pageBytes } = asMeta(first);
  if (!PAGE_BYTES.has(pageBytes))
    throw new StoreUnreadable(file, `its pages have ${pageBytes} bytes`);
  const second = readMeta(handle, pageBytes);
  const flushed = readMeta(handle, pageBytes / 2);
  return [
    asMeta(first),
    ...(second && isMeta(second) ? [asMeta(second)] : []),
    ...(flushed && asMeta(flushed).transaction > 0n ? [asMeta(flushed)] : []),
  ];
}

/** Bytes up to the last page that the newest of `metas` counts. */
function neededBytes(metas: readonly Meta[]): number {
  const newest = metas.reduce<Meta | undefined>(
    (best, meta) => (best && best.transaction >= meta.transaction ? best : meta),
    undefined,
  );
  return newest ? (Number(newest.lastPage) + 1) * newest.pageBytes : 0;
}

function readMeta(handle: number, at: number): Buffer | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  return readSync(handle, bytes, 0, META_BYTES, at) < META_BYTES ? undefined : bytes;
}

/** The flushed meta has neither magic nor version: only what follows them is ever written there. */
function isMeta(bytes: Buffer): boolean {
  return bytes.readUInt32LE(AT.magic) === MAGIC && bytes.readUInt16LE(AT.version) === DATA_VERSION;
}

function asMeta(bytes: Buffer): Meta {
  return {
    pageBytes: bytes.readUInt32LE(AT.pageBytes),
    isFlushed: (bytes.readUInt16LE(AT.flags) & FLAG_UNFLUSHED) === 0,
    lastPage: bytes.readBigUInt64LE(AT.lastPage),
    transaction: bytes.readBigUInt64LE(AT.transaction),
  };
}
