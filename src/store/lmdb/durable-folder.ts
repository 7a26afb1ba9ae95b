import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Makes `folder`, for its owner alone, and the folders above it. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/**
 * Makes the names in `folder` durable, and the names of the folders that lead to it.
 *
 * Why: flushing a file makes its bytes durable, not its name; a power loss could take a whole new store away.
 * Why up to the root: who died between making a folder and syncing its parent cannot be told from who did not.
 * A folder above that may not be read belongs to somebody else, and was there before.
 */
export function syncNames(folder: string): void {
  syncFolder(folder);
  for (let path = resolve(folder); path !== dirname(path); path = dirname(path))
    try {
      syncFolder(dirname(path));
    } catch {
      return;
    }
}

function syncFolder(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
