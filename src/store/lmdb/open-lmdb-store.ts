import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { SystemClock } from "../../base/system-clock.ts";
import type { Backend } from "../backend.ts";
import { LogDamaged } from "../log-record.ts";
import { openLogged } from "../logged-backend.ts";
import { SCHEMA_VERSION, openStore } from "../revisioned-store.ts";
import type { Store } from "../store.ts";
import { DiskTrust } from "./disk-trust.ts";
import { makeFolder, syncNames } from "./durable-folder.ts";
import { lockFolder, type FolderLock } from "./folder-lock.ts";
import { LmdbBackend } from "./lmdb-backend.ts";
import { SegmentFile } from "./segment-file.ts";
import { StoreTooNew, StoreUnreadable } from "./store-unreadable.ts";

/** What a store on disk needs. */
export interface LmdbStoreOptions {
  /** Made if missing, with mode 0700. */
  readonly folder: string;
  /** Keys that survive `kill -9` but not a power loss. Must be a function of the key alone, for all time. */
  readonly isVolatile?: (key: string) => boolean;
  /** When what was logged goes to LMDB. Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Opens the embedded store, or makes it.
 *
 * @throws {StoreInUse} another process has it. {StoreUnreadable} a file is damaged. {StoreTooNew}
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { folder, isVolatile = () => false, clock = new SystemClock() } = options;
  makeFolder(folder);
  const lock = lockFolder(folder);
  let backend: Backend | undefined;
  try {
    const lmdb = await LmdbBackend.open(folder, isVolatile);
    backend = lmdb;
    const found = lmdb.state?.schema ?? SCHEMA_VERSION;
    if (found > SCHEMA_VERSION) throw new StoreTooNew(folder, found, SCHEMA_VERSION);
    backend = await openLog(folder, lmdb, clock);
    return await openStore(releasing(backend, lock));
  } catch (error) {
    await backend?.close();
    lock.release();
    throw error;
  }
}

async function openLog(folder: string, lmdb: LmdbBackend, clock: Clock): Promise<Backend> {
  const [first, second] = [`${folder}/durable-0.log`, `${folder}/durable-1.log`] as const;
  const isInUse = lmdb.mark !== undefined && lmdb.state?.isClean === false;
  for (const file of [first, second])
    if (isInUse && !existsSync(file)) throw new StoreUnreadable(file, "it is missing");
  const trust = new DiskTrust();
  const segments = [new SegmentFile(first, trust), new SegmentFile(second, trust)] as const;
  try {
    syncNames(folder);
    return await openLogged(lmdb, segments, randomBytes(8).toString("hex"), clock);
  } catch (error) {
    for (const segment of segments) await segment.close();
    if (error instanceof LogDamaged) throw new StoreUnreadable(error.segment, error.message, error);
    throw error;
  }
}

/** `backend`, giving the folder back when it is closed. */
function releasing(backend: Backend, lock: FolderLock): Backend {
  const close = backend.close.bind(backend);
  return Object.assign(backend, {
    close: () => close().finally(() => lock.release()),
  });
}
