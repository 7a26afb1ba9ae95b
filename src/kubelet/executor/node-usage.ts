import { readFile, statfs } from "node:fs/promises";
import type { DiskUse, NodeReading } from "../server/stats-reading.ts";
import { readInterfaces } from "./network-use.ts";
import { readPids } from "./node-supply.ts";
import { readMachinePressures } from "./pressure-files.ts";

/** Clock ticks of a second. @spec proc(5) /proc/stat; USER_HZ is 100 on every Linux that Node runs on */
const TICKS_PER_SECOND = 100;

/** What the whole machine uses. */
export async function readNodeUsage(): Promise<Omit<NodeReading, "pods">> {
  const [stat, memory, faults, pids, interfaces, pressures] = await Promise.all([
    readFile("/proc/stat", "utf8"),
    readFile("/proc/meminfo", "utf8"),
    readFile("/proc/vmstat", "utf8").catch(() => ""),
    readPids(),
    readInterfaces("self"),
    readMachinePressures(),
  ]);
  const ticks = (stat.split("\n")[0] ?? "").trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1] ?? 0) * 1024;
  const count = (name: string): number =>
    Number(new RegExp(`^${name} (\\d+)$`, "m").exec(faults)?.[1] ?? 0);
  const { capacity: processesMax = 0, available = 0 } = pids ?? {};
  return {
    bootedAt: Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000,
    cpuSeconds: (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND,
    memoryTotalBytes: bytes("MemTotal"),
    memoryAvailableBytes: bytes("MemAvailable"),
    memoryFreeBytes: bytes("MemFree"),
    rssBytes: bytes("AnonPages"),
    pageFaults: count("pgfault"),
    majorPageFaults: count("pgmajfault"),
    swapTotalBytes: bytes("SwapTotal"),
    swapFreeBytes: bytes("SwapFree"),
    processesMax,
    processes: processesMax - available,
    interfaces,
    pressures,
  };
}

/** The file system that `folder` lies on; `undefined`: there is no such folder. */
export async function readDisk(folder: string): Promise<DiskUse | undefined> {
  const disk = await statfs(folder).catch(() => undefined);
  return (
    disk && {
      capacityBytes: disk.blocks * disk.bsize,
      availableBytes: disk.bavail * disk.bsize,
      inodes: disk.files,
      inodesFree: disk.ffree,
    }
  );
}
