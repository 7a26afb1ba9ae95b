import { readFile } from "node:fs/promises";
import type { NodeUsage } from "../server/resource-metrics.ts";

/** Clock ticks of a second. @spec proc(5) /proc/stat; USER_HZ is 100 on every Linux that Node runs on */
const TICKS_PER_SECOND = 100;

/** What the whole machine uses. */
export async function readNodeUsage(): Promise<NodeUsage> {
  const [stat, memory] = await Promise.all([
    readFile("/proc/stat", "utf8"),
    readFile("/proc/meminfo", "utf8"),
  ]);
  const ticks = (stat.split("\n")[0] ?? "").trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1] ?? 0);
  return {
    cpuSeconds: (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND,
    memoryBytes: (kibibytes("MemTotal") - kibibytes("MemAvailable")) * 1024,
  };
}
