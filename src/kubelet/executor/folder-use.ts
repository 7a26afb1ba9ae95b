import * as fs from "node:fs/promises";
import type { FolderUse } from "../server/stats-reading.ts";

/** Blocks in use below a folder; links are not followed, and what vanishes meanwhile counts nothing. `isForeign`: folders that are left out. */
export async function folderUse(
  folder: string,
  isForeign: (path: string) => boolean = () => false,
): Promise<FolderUse> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
  let [bytes, inodes] = [0, 0];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (isForeign(path)) continue;
    const use = entry.isDirectory() ? await folderUse(path, isForeign) : undefined;
    const stat = await fs.lstat(path).catch(() => undefined);
    bytes += (use?.bytes ?? 0) + (stat?.blocks ?? 0) * 512;
    inodes += (use?.inodes ?? 0) + 1;
  }
  return { bytes, inodes };
}
