import * as fs from "node:fs/promises";
import { join } from "node:path";
import { handleProblem, REMOVED } from "../../api/storage/own-volumes.ts";
import { nameSuffix, type Random } from "../../base/random.ts";

/** Names the machine whose nodes share the folder. Hidden, so that no volume can be called so. */
const MACHINE_FILE = ".machine";
const MACHINE_NAME = /^[a-z0-9]{1,63}$/;
/** Letters of a machine's name: 27^12 names, so that no two machines of a cluster meet in one. */
const MACHINE_NAME_LETTERS = 12;
/** Of a folder that is made and may not be written yet: no volume has it, and no umask takes it away. @spec mkdir(2) */
const UNFINISHED = 0o1000;
/**
 * The name of the machine whose nodes share that folder: whoever comes first gives it, and it stays for as long as the folder.
 *
 * Why not the machine's own id: copies of a machine's disk have one id, and what counts is who shares the folder.
 */
export async function machineNameOf(ownVolumes: string, random: Random): Promise<string> {
  await fs.mkdir(ownVolumes, { recursive: true, mode: 0o700 });
  const file = join(ownVolumes, MACHINE_FILE);
  const known = await readName(file);
  if (known !== undefined) return known;
  const draft = `${file}-${nameSuffix(random, MACHINE_NAME_LETTERS)}`;
  const handle = await fs.open(draft, "wx", 0o600);
  await handle.writeFile(`${nameSuffix(random, MACHINE_NAME_LETTERS)}\n`);
  await handle.sync();
  await handle.close();
  // Of several nodes that start at once one wins; a link never replaces.
  await fs.link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await fs.unlink(draft);
  const name = await readName(file);
  if (name === undefined) throw new Error(`${file}: expected the name of this machine`);
  return name;
}

async function readName(file: string): Promise<string | undefined> {
  const text = await fs.readFile(file, "utf8").catch(() => "");
  return MACHINE_NAME.test(text.trim()) ? text.trim() : undefined;
}

/** Makes a volume's folder where it is missing: as a fresh disk, everybody may write until an fsGroup narrows it. */
export async function makeOwnVolume(ownVolumes: string, handle: string): Promise<string> {
  const problem = handleProblem(handle);
  if (problem) throw new Error(problem);
  const folder = join(ownVolumes, handle);
  await fs.mkdir(ownVolumes, { recursive: true, mode: 0o700 });
  // Not made elsewhere and renamed: that would replace an empty volume which another node of the machine has just mounted.
  await fs.mkdir(folder, { mode: UNFINISHED }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { mode } = await fs.stat(folder);
  if ((mode & 0o7777) === UNFINISHED) await fs.chmod(folder, 0o777);
  return folder;
}

/** Removes a volume with all that it holds; one that is not there is removed already. */
export async function removeOwnVolume(ownVolumes: string, handle: string): Promise<void> {
  const problem = handleProblem(handle);
  if (problem) throw new Error(problem);
  const removed = join(ownVolumes, `${REMOVED}${handle}`);
  await fs.rm(removed, { recursive: true, force: true });
  // Renamed first: nobody ever mounts half a volume.
  await fs.rename(join(ownVolumes, handle), removed).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await fs.rm(removed, { recursive: true, force: true });
}
