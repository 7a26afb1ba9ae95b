import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { open, type Database, type PutOptions, type RootDatabase } from "lmdb";
import { StoreFull } from "../store.ts";
import { checkFile } from "./file-check.ts";
import { StoreUnreadable } from "./store-unreadable.ts";

/**
 * Address space first mapped, in bytes. The library maps more when the file outgrows it, but keeps the old maps until
 * then open reads end; 64 GiB costs only page tables for what is touched. Doubling would hit limits of small machines.
 */
const MAP_BYTES = 64 * 2 ** 30;

/** A Pod of 2 to 3 kB lies inside such a page; with 4 kB it takes an overflow page alone. Doubling makes lone commits write more. */
const PAGE_BYTES = 8192;

/** What means "no space": MAP_FULL, and the system's ENOSPC, EDQUOT, EFBIG. BAD_TXN: a put before it had no space. */
const FULL_CODES: ReadonlySet<number> = new Set([-30792, -30782, 28, 122, 27]);

/** What LMDB makes of a write that ended early, which is how a disk fills up; and of a disk that fails. */
const EIO = 5;
/** Free bytes below which EIO means "full": two groups of commits. Doubling blames space for more real failures. */
const FREE_BYTES_MIN = 16 * 1024 * 1024;

/** The tables of one LMDB file. Keys and values are bytes as they are. */
export interface Environment {
  readonly file: string;
  readonly root: RootDatabase<Buffer, Buffer>;
  /** key → head */
  readonly heads: Database<Buffer, Buffer>;
  /** position → entry */
  readonly log: Database<Buffer, Buffer>;
  /** name → what the store knows of itself */
  readonly state: Database<Buffer, Buffer>;
}

/**
 * Opens or makes the file.
 *
 * `isLazy`: a commit resolves when the kernel has it, and the flush follows; LMDB then keeps a third, flushed meta page,
 * so that a power loss goes back to a whole older state. Otherwise a commit resolves when it is flushed.
 * @throws {StoreUnreadable}
 */
export async function openEnvironment(file: string, isLazy: boolean): Promise<Environment> {
  if (!existsSync(file)) await makeWhole(file, isLazy);
  return openTables(file, isLazy);
}

/** Makes an empty file beside, and gives it its name when it is whole: a power loss on the way leaves none. */
async function makeWhole(file: string, isLazy: boolean): Promise<void> {
  const fresh = `${file}.new`;
  const remove = (path: string): void => rmSync(path, { force: true });
  for (const path of [fresh, `${fresh}-lock`]) remove(path);
  const { root } = await openTables(fresh, isLazy);
  await root.close();
  const handle = openSync(fresh, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
  remove(`${fresh}-lock`);
}

async function openTables(file: string, isLazy: boolean): Promise<Environment> {
  const binary = { encoding: "binary", keyEncoding: "binary" } as const;
  checkFile(file);
  makePrivate(file);
  makePrivate(`${file}-lock`);
  let root: RootDatabase<Buffer, Buffer> | undefined;
  try {
    root = open<Buffer, Buffer>({
      ...binary,
      path: file,
      noSubdir: true,
      mapSize: MAP_BYTES,
      maxDbs: 4,
      pageSize: PAGE_BYTES,
      // Else a failed transaction also rejects a promise that the library gives to nobody.
      eventTurnBatching: false,
      ...(isLazy ? { overlappingSync: true, separateFlushed: true } : { overlappingSync: false }),
    });
    return {
      file,
      root,
      heads: root.openDB<Buffer, Buffer>("heads", binary),
      log: root.openDB<Buffer, Buffer>("log", binary),
      state: root.openDB<Buffer, Buffer>("state", binary),
    };
  } catch (error) {
    await root?.close();
    throw new StoreUnreadable(file, String(error), error);
  }
}

/** Makes the file before the library does, which would let everyone read it: so nobody can open it before the mode is right. */
function makePrivate(file: string): void {
  const handle = openSync(file, "a", 0o600);
  try {
    fchmodSync(handle, 0o600);
  } finally {
    closeSync(handle);
  }
}

/** Runs the writes that `write` makes as one transaction. Resolves as {@link openEnvironment} says. @throws {StoreFull} */
export async function transact(
  { root, file }: Environment,
  write: () => readonly Promise<boolean>[],
): Promise<void> {
  let writes: readonly Promise<boolean>[] = [];
  const transaction = root.batch(() => {
    writes = write();
  });
  let results: readonly boolean[];
  try {
    [, ...results] = await Promise.all([transaction, ...writes]);
  } catch (error) {
    throw await asStoreError(error, file);
  }
  if (results.includes(false)) throw new Error("the log already holds a later revision");
}

/** Writes behind the last key, which fills pages whole instead of half. Resolves with false when it would not be last. */
export function append(
  table: Database<Buffer, Buffer>,
  key: Buffer,
  value: Buffer,
): Promise<boolean> {
  // The library takes options here; its types know only a version number.
  const put = table.put as unknown as (
    key: Buffer,
    value: Buffer,
    options: PutOptions,
  ) => Promise<boolean>;
  return put.call(table, key, value, { append: true });
}

async function asStoreError(error: unknown, file: string): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  const cause: unknown = await commitError?.catch((inner: unknown) => inner);
  const { code } = (cause ?? error) as { code?: number };
  if (
    code !== undefined &&
    (FULL_CODES.has(code) || (code === EIO && freeBytes(file) < FREE_BYTES_MIN))
  )
    return new StoreFull(`no space left for the store: ${String(cause ?? error)}`, { cause });
  return cause ?? error;
}

function freeBytes(file: string): number {
  const { bavail, bsize } = statfsSync(file);
  return bavail * bsize;
}
