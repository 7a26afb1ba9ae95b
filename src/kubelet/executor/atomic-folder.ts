import * as fs from "node:fs";
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
 * Synchronous: 25 calls on tiny files in memory are done in 0.5 ms, and cost ten times that through the thread pool.
 * The files lie in a folder of their own behind the link `..data`, which is swapped by rename.
 * @returns false when nothing was different.
 * @throws {Error} a path would leave the folder.
 * @spec k8s@1.36 pkg/volume/util/atomic_writer.go
 */
export function writeAtomically(
  folder: string,
  payload: Payload,
  ownership: Ownership,
  version: string,
): boolean {
  for (const path of payload.keys()) checkPath(path);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const old = dataFolder(join(folder, DATA));
  if (old !== undefined && isSame(join(folder, old), payload)) return false;
  const fresh = `..${version}`;
  fs.mkdirSync(join(folder, fresh), { mode: 0o755 });
  adopt(join(folder, fresh), 0o755, ownership, true);
  for (const [path, file] of payload) writeFile(join(folder, fresh), path, file, ownership);
  fs.rmSync(join(folder, DATA_NEXT), { force: true });
  fs.symlinkSync(fresh, join(folder, DATA_NEXT));
  fs.renameSync(join(folder, DATA_NEXT), join(folder, DATA));
  linkVisible(folder, payload);
  if (old !== undefined) fs.rmSync(join(folder, old), { recursive: true, force: true });
  return true;
}

/** Folders that this file makes: `..TIME_COUNT`, nothing else, and in the volume. */
const VERSION = /^\.\.[\w.-]*\w$/;

/**
 * What `..data` leads to; `undefined`: nothing that was made here, which is then neither read nor removed.
 *
 * @spec CVE-2017-1002102
 */
function dataFolder(path: string): string | undefined {
  try {
    const target = fs.readlinkSync(path);
    return VERSION.test(target) ? target : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EINVAL") throw error;
    return undefined;
  }
}

function checkPath(path: string): void {
  const isOutside = path.startsWith("/") || normalize(path).split("/").includes("..");
  if (path === "" || isOutside || path.startsWith(".."))
    throw new Error(`invalid path ${JSON.stringify(path)}: must stay inside of the volume`);
}

function isSame(folder: string, payload: Payload): boolean {
  const names = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  if (names.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, { data }] of payload) {
    const file = join(folder, path);
    if (!fs.existsSync(file) || !fs.readFileSync(file).equals(data)) return false;
  }
  return true;
}

function writeFile(folder: string, path: string, file: PayloadFile, ownership: Ownership): void {
  const target = join(folder, path);
  if (dirname(path) !== ".") fs.mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  fs.writeFileSync(target, file.data);
  adopt(target, modeOf(file, ownership), ownership, false);
}

/** A token is for the Pod's user or group alone, where it has one. @spec pkg/volume/projected collectData */
function modeOf({ mode, isToken }: PayloadFile, { group, user }: Ownership): number {
  if (!isToken) return mode;
  if (group !== undefined) return 0o600;
  return user === undefined ? mode : 0o600;
}

function adopt(path: string, mode: number, { group, user }: Ownership, isFolder: boolean): void {
  const shared = isFolder ? 0o2050 : 0o440;
  if (group !== undefined || (user !== undefined && !isFolder))
    fs.chownSync(path, user ?? 0, group ?? 0);
  fs.chmodSync(path, group === undefined ? mode : mode | shared);
}

/** One link per first path element, and none that the payload no longer has. */
function linkVisible(folder: string, payload: Payload): void {
  const wanted = new Set([...payload.keys()].map((path) => normalize(path).split("/")[0]!));
  const present = fs.readdirSync(folder);
  for (const name of wanted)
    if (!present.includes(name)) fs.symlinkSync(join(DATA, name), join(folder, name));
  for (const name of present)
    if (!name.startsWith("..") && !wanted.has(name)) fs.rmSync(join(folder, name));
}
