import * as fs from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { O_PATH } from "./sub-path.ts";

/** A pipe in a file's place must not be waited for. */
const READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PASSING = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Folders above a container's log that belong to its Pod: a container may have them mounted, and write there. */
const FOLDERS = 2;

/**
 * Opens a container's log for reading; `path`: `ROOT/POD/CONTAINER/FILE`.
 *
 * Below the root no link is followed, however the names change meanwhile, and nothing but a file is opened: who may write
 * into the folder of logs must not read other files of the node by asking for a log.
 * @throws {Error} ENOENT. ELOOP or ENOTDIR: a link. EINVAL: no file.
 */
export async function openLog(path: string): Promise<fs.FileHandle> {
  let folder = dirname(path);
  const names: string[] = [];
  while (names.length < FOLDERS) {
    names.unshift(basename(folder));
    folder = dirname(folder);
  }
  let handle = await fs.open(folder, O_PATH | constants.O_DIRECTORY);
  for (const name of names) handle = await below(handle, name, PASSING);
  const file = await below(handle, basename(path), READING);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw Object.assign(new Error(`${path} is no file`), { code: "EINVAL" });
}

async function below(parent: fs.FileHandle, name: string, flags: number): Promise<fs.FileHandle> {
  try {
    return await fs.open(join(`/proc/self/fd/${parent.fd}`, name), flags);
  } finally {
    await parent.close();
  }
}
