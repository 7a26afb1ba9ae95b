import type { Backend } from "../backend.ts";
import { SCHEMA_VERSION, openStore } from "../revisioned-store.ts";
import type { Store } from "../store.ts";
import { makeFolder, syncNames } from "./durable-folder.ts";
import { lockFolder, type FolderLock } from "./folder-lock.ts";
import { LmdbBackend } from "./lmdb-backend.ts";
import { StoreTooNew } from "./store-unreadable.ts";

/** What a store on disk needs. */
export interface LmdbStoreOptions {
  /** Made if missing, with mode 0700. */
  readonly folder: string;
  /** Keys that survive `kill -9` but not a power loss. Must be a function of the key alone, for all time. */
  readonly isVolatile?: (key: string) => boolean;
}

/**
 * Opens the embedded store, or makes it.
 *
 * @throws {StoreInUse} another process has it. {StoreUnreadable} a file is damaged. {StoreTooNew}
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { folder, isVolatile = () => false } = options;
  makeFolder(folder);
  const lock = lockFolder(folder);
  let backend: Backend | undefined;
  try {
    backend = releasing(await LmdbBackend.open(folder, isVolatile), lock);
    const found = backend.state?.schema ?? SCHEMA_VERSION;
    if (found > SCHEMA_VERSION) throw new StoreTooNew(folder, found, SCHEMA_VERSION);
    syncNames(folder);
    return await openStore(backend);
  } catch (error) {
    await backend?.close();
    lock.release();
    throw error;
  }
}

/** `backend`, giving the folder back when it is closed. */
function releasing(backend: LmdbBackend, lock: FolderLock): Backend {
  const close = backend.close.bind(backend);
  return Object.assign(backend, {
    close: () => close().finally(() => lock.release()),
  });
}
