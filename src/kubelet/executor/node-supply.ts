import { readFile, statfs } from "node:fs/promises";
import type { NodeSupply, Supply } from "../plan/eviction.ts";

/** What the node has left now. `folder`: on the disk that Pods share. */
export async function readNodeSupply(folder: string): Promise<NodeSupply> {
  const [memory, disk, pids] = await Promise.all([
    readMemory(),
    statfs(folder).catch(() => undefined),
    readPids(),
  ]);
  return {
    ...(memory ? { memory } : {}),
    ...(pids ? { pids } : {}),
    ...(disk
      ? {
          disk: { capacity: disk.blocks * disk.bsize, available: disk.bavail * disk.bsize },
          inodes: { capacity: disk.files, available: disk.ffree },
        }
      : {}),
  };
}

async function readMemory(): Promise<Supply | undefined> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const bytes = (name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const [capacity, available] = [bytes("MemTotal"), bytes("MemAvailable")];
  return capacity === undefined || available === undefined ? undefined : { capacity, available };
}

/** Threads of the machine. @spec proc(5) loadavg, sys/kernel/threads-max, pid_max */
export async function readPids(): Promise<Supply | undefined> {
  const number = async (path: string): Promise<number> =>
    Number(await readFile(path, "utf8").catch(() => "NaN"));
  const [load, pidMax, threadsMax] = await Promise.all([
    readFile("/proc/loadavg", "utf8").catch(() => ""),
    number("/proc/sys/kernel/pid_max"),
    number("/proc/sys/kernel/threads-max"),
  ]);
  const used = /\d+\/(\d+)/.exec(load)?.[1];
  const capacity = Math.min(pidMax, threadsMax);
  if (used === undefined || !Number.isFinite(capacity)) return undefined;
  return { capacity, available: capacity - Number(used) };
}
