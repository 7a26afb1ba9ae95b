import * as fs from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Payload, PayloadFile } from "../volumes/payload.ts";

/** Who may read a volume's files. */
export interface Ownership {
  /** The Pod's fsGroup. */
  readonly group?: number;
  /** The one user of all its containers, where there is one. */
  readonly user?: number;
}

const DATA = "..data";
const DATA_NEXT = "..data_tmp";

/**
 * Makes a folder's visible files those of `payload`, all at once: readers see the old set or the new one.
 *
 * The files lie in a folder of their own behind the link `..data`, which is swapped by rename.
 * @returns false when nothing was different.
 * @throws {Error} a path would leave the folder.
 * @spec k8s@1.36 pkg/volume/util/atomic_writer.go
 */
export async function writeAtomically(
  folder: string,
  payload: Payload,
  ownership: Ownership,
  version: string,
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  await fs.mkdir(folder, { recursive: true, mode: 0o755 });
  const old = await fs.readlink(join(folder, DATA)).catch(() => undefined);
  if (old !== undefined && (await isSame(join(folder, old), payload))) return false;
  const fresh = `..${version}`;
  await fs.mkdir(join(folder, fresh), { mode: 0o755 });
  await adopt(join(folder, fresh), 0o755, ownership, true);
  for (const [path, file] of payload) await writeFile(join(folder, fresh), path, file, ownership);
  await fs.rm(join(folder, DATA_NEXT), { force: true });
  await fs.symlink(fresh, join(folder, DATA_NEXT));
  await fs.rename(join(folder, DATA_NEXT), join(folder, DATA));
  await linkVisible(folder, payload);
  if (old !== undefined) await fs.rm(join(folder, old), { recursive: true, force: true });
  return true;
}

function checkPath(path: string): void {
  const isOutside = path.startsWith("/") || normalize(path).split("/").includes("..");
  if (path === "" || isOutside || path.startsWith(".."))
    throw new Error(`invalid path ${JSON.stringify(path)}: must stay inside of the volume`);
}

async function isSame(folder: string, payload: Payload): Promise<boolean> {
  const names = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  if (names.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, { data }] of payload) {
    const bytes = await fs.readFile(join(folder, path)).catch(() => undefined);
    if (!bytes?.equals(data)) return false;
  }
  return true;
}

async function writeFile(
  folder: string,
  path: string,
  file: PayloadFile,
  ownership: Ownership,
): Promise<void> {
  const target = join(folder, path);
  if (dirname(path) !== ".") await fs.mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await fs.writeFile(target, file.data);
  await adopt(target, modeOf(file, ownership), ownership, false);
}

/** A token is for the Pod's user or group alone, where it has one. @spec pkg/volume/projected collectData */
function modeOf({ mode, isToken }: PayloadFile, { group, user }: Ownership): number {
  if (!isToken) return mode;
  if (group !== undefined) return 0o600;
  return user === undefined ? mode : 0o600;
}

async function adopt(
  path: string,
  mode: number,
  { group, user }: Ownership,
  isFolder: boolean,
): Promise<void> {
  const shared = isFolder ? 0o2050 : 0o440;
  if (group !== undefined || (user !== undefined && !isFolder))
    await fs.chown(path, user ?? 0, group ?? 0);
  await fs.chmod(path, group === undefined ? mode : mode | shared);
}

/** One link per first path element, and none that the payload no longer has. */
async function linkVisible(folder: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => normalize(path).split("/")[0]!));
  const present = await fs.readdir(folder);
  for (const name of wanted)
    if (!present.includes(name)) await fs.symlink(join(DATA, name), join(folder, name));
  for (const name of present)
    if (!name.startsWith("..") && !wanted.has(name)) await fs.rm(join(folder, name));
}
