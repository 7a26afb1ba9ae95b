import { execFile } from "node:child_process";
import type { DiskUse, VolumeReading } from "../server/stats-reading.ts";
import { folderUse } from "./folder-use.ts";
import { readDisk } from "./node-usage.ts";
import type { MountedVolume } from "./persistent-mounts.ts";

/** What is used of a volume, whosever it is. */
export type VolumeUse = Omit<VolumeReading, "name" | "claim">;

/** Finds what is used of a volume; `undefined`: it cannot be told. Never throws; may never resolve, where a disk does not answer. */
export type MeasureVolume = (
  path: string,
  measure: NonNullable<MountedVolume["measure"]>,
) => Promise<VolumeUse | undefined>;

/** After so long a disk that does not answer is asked no further. Doubled, the process that asks a dead server stays twice as long. */
const STAT_MS_MAX = 10_000;

/** By all files, where the disk is shared with others; else by the disk. @spec volume NewMetricsDu, NewMetricsStatFS */
export const measureVolume: MeasureVolume = async (path, measure) => {
  if (measure === "files") {
    const disk = await readDisk(path);
    return disk && { disk, ...(await folderUse(path)) };
  }
  const disk = await readForeignDisk(path);
  if (!disk) return undefined;
  const { capacityBytes, availableBytes, inodes, inodesFree } = disk;
  return { disk, bytes: capacityBytes - availableBytes, inodes: inodes - inodesFree };
};

/**
 * The file system at `path`, which may be that of a server that died.
 *
 * Why another process: a call that never returns would hold one of the few threads that all file access of this one shares.
 */
function readForeignDisk(path: string): Promise<DiskUse | undefined> {
  return new Promise((resolve) => {
    const args = ["--file-system", "--format=%S %b %a %c %d", "--", path];
    const limits = { timeout: STAT_MS_MAX, killSignal: "SIGKILL" } as const;
    execFile("stat", args, limits, (error, stdout) => {
      const [size = 0, blocks = 0, free = 0, inodes = 0, inodesFree = 0] = stdout
        .trim()
        .split(" ")
        .map(Number);
      const disk = {
        capacityBytes: blocks * size,
        availableBytes: free * size,
        inodes,
        inodesFree,
      };
      resolve(error ? undefined : disk);
    });
  });
}
