import { statfsSync } from "node:fs";
import type { Batch, LogEntry } from "../backend.ts";
import { StoreFull } from "../store.ts";

/**
 * Free bytes that commits leave on the disk: what compaction needs to make room in the file. Doubling takes that much more from
 * small disks; much less, and a compaction could meet the end of the disk.
 */
const RESERVE_BYTES = 1024 * 1024;

/** Bytes of pages that one entry makes LMDB write besides its value: the path to it in two trees. */
const PAGES_BYTES = 32 * 1024;

/**
 * Free bytes from which commits go through the log: the 80 MiB that LMDB may need for two full segments of it (4 MiB and 4000
 * entries each), and something for whoever else fills the disk. With less, commits are as slow as LMDB, and refused when it would be.
 */
const AMPLE_BYTES = 128 * 1024 * 1024;

/**
 * Keeps LMDB from ever meeting the end of the disk: it is refused here what may not fit.
 *
 * Why: lmdb-js 3.5 writes its report of such a write into a buffer that is too short for it, which ends the process.
 * What compaction frees lies inside the file, where the disk's free bytes don't show it; it is counted here, and may be used.
 * @bounds what is counted as freed is at most what compaction removed, each byte once.
 */
export class Room {
  readonly #file: string;
  #reclaimedBytes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whether all that a log can hold would fit. */
  get isAmple(): boolean {
    return this.#freeBytes() >= AMPLE_BYTES;
  }

  /** @throws {StoreFull} the batches, one transaction, may not fit. */
  take(batches: readonly Batch[]): void {
    const entries = batches.flatMap((batch) => batch.entries);
    if (entries.length === 0 && batches.every(({ removals }) => removals.length === 0)) return;
    const freeBytes = this.#freeBytes();
    const neededBytes = entries.reduce((sum, entry) => sum + entryBytes(entry), PAGES_BYTES);
    if (freeBytes >= neededBytes + RESERVE_BYTES) return;
    if (entries.length === 0 && freeBytes >= RESERVE_BYTES / 2) return;
    if (entries.length === 0 || this.#reclaimedBytes < neededBytes)
      throw new StoreFull(`no space left for the store: ${freeBytes} bytes on the disk`);
    this.#reclaimedBytes -= neededBytes;
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#file);
    return bavail * bsize;
  }

  /** Compaction has removed an entry. */
  reclaimed(entry: LogEntry): void {
    this.#reclaimedBytes += entry.value?.length ?? 0;
  }
}

function entryBytes({ key, value }: LogEntry): number {
  return 2 * (key.length + (value?.length ?? 0)) + PAGES_BYTES / 4;
}
