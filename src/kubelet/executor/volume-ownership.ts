import * as fs from "node:fs/promises";
import { constants } from "node:fs";
import { O_PATH } from "./sub-path.ts";

const OWN_GROUP_BITS = 0o660;
const FOLDER_BITS = 0o2110;
/** What a volume's root must have, so that nothing below is looked at. */
const ROOT_BITS = OWN_GROUP_BITS | FOLDER_BITS;
/**
 * Folders in each other, of which each is open while what is below it is given: eight walks at once stay below the 4,096 files that Linux
 * lets a process open at least. Doubled, four do.
 */
const DEPTH_MAX = 500;
/** `chown` with this leaves the user as it is. @spec chown(2) */
const SAME_USER = -1;

/**
 * Gives everything in a volume to a group, which may then read and write it.
 *
 * Names are opened without following links, so that whoever has the volume already cannot lead out of it meanwhile. The root comes
 * last: a walk that was interrupted is made again, whatever the policy.
 * @bounds 500 folders deep
 * @throws {Error} it is deeper.
 * @spec k8s@1.36 pkg/volume/volume_linux.go SetVolumeOwnership
 */
export async function giveToGroup(
  root: string,
  group: number,
  policy: string | undefined,
): Promise<void> {
  const handle = await fs.open(root, O_PATH | constants.O_DIRECTORY);
  try {
    const { gid, mode } = await handle.stat();
    const isDone = gid === group && (mode & ROOT_BITS) === ROOT_BITS;
    if (policy === "OnRootMismatch" && isDone) return;
    await giveFolder(handle, group, 0);
  } finally {
    await handle.close();
  }
}

async function giveFolder(folder: fs.FileHandle, group: number, depth: number): Promise<void> {
  if (depth > DEPTH_MAX)
    throw new Error(`fsGroup: the volume has folders more than ${DEPTH_MAX} deep`);
  for (const name of await fs.readdir(selfPath(folder)))
    await giveEntry(`${selfPath(folder)}/${name}`, group, depth + 1);
  await giveNode(folder, group, OWN_GROUP_BITS | FOLDER_BITS);
}

async function giveEntry(path: string, group: number, depth: number): Promise<void> {
  const handle = await fs.open(path, O_PATH | constants.O_NOFOLLOW).catch(absent);
  if (!handle) return;
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) await giveFolder(handle, group, depth);
    else if (stat.isSymbolicLink()) await fs.lchown(path, SAME_USER, group);
    else await giveNode(handle, group, OWN_GROUP_BITS);
  } finally {
    await handle.close();
  }
}

/** Through the open file itself: its name may lead elsewhere by now. */
async function giveNode(handle: fs.FileHandle, group: number, bits: number): Promise<void> {
  const { gid, mode } = await handle.stat();
  if (gid !== group) await fs.chown(selfPath(handle), SAME_USER, group);
  if ((mode & bits) !== bits) await fs.chmod(selfPath(handle), (mode & 0o7777) | bits);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}

function selfPath(handle: fs.FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}
