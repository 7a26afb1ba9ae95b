import { readFile } from "node:fs/promises";
import type { CgroupUse } from "../server/stats-reading.ts";
import { readCgroupPressures } from "./pressure-files.ts";

const ROOT = "/sys/fs/cgroup";

/** Limits above this are none: v1 writes the largest number of pages instead. */
const LIMIT_MAX = 2 ** 62;

/** What the kernel counts for a cgroup, of v1 or v2; `undefined`: it is gone. @spec cgroup-v1/, cgroup-v2.rst */
export async function readCgroupUse(path: string): Promise<CgroupUse | undefined> {
  const unified = await text(`${ROOT}${path}/cpu.stat`);
  return unified === undefined ? readSplit(path) : readUnified(`${ROOT}${path}`, unified);
}

/** One process of a cgroup; `undefined`: it has none. */
export async function readProcessOf(path: string): Promise<number | undefined> {
  for (const folder of [`${ROOT}${path}`, `${ROOT}/memory${path}`, `${ROOT}/pids${path}`]) {
    const first = (await text(`${folder}/cgroup.procs`))?.split("\n")[0];
    if (first) return Number(first);
  }
  return undefined;
}

async function readUnified(folder: string, cpuText: string): Promise<CgroupUse> {
  const [current, statText, max, pids, swap, pressures] = await Promise.all([
    text(`${folder}/memory.current`),
    text(`${folder}/memory.stat`),
    text(`${folder}/memory.max`),
    text(`${folder}/pids.current`),
    text(`${folder}/memory.swap.current`),
    readCgroupPressures(folder),
  ]);
  const cpu = parseKeyed(cpuText);
  const memory = parseKeyed(statText ?? "");
  const usageBytes = number(current);
  return {
    cpuSeconds: (cpu.get("usage_usec") ?? 0) / 1e6,
    periods: cpu.get("nr_periods") ?? 0,
    throttledPeriods: cpu.get("nr_throttled") ?? 0,
    throttledSeconds: (cpu.get("throttled_usec") ?? 0) / 1e6,
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - (memory.get("inactive_file") ?? 0)),
    rssBytes: memory.get("anon") ?? 0,
    cacheBytes: memory.get("file") ?? 0,
    limitBytes: number(max),
    processes: number(pids),
    pageFaults: memory.get("pgfault") ?? 0,
    majorPageFaults: memory.get("pgmajfault") ?? 0,
    ...(swap === undefined ? {} : { swapBytes: number(swap) }),
    pressures,
  };
}

async function readSplit(path: string): Promise<CgroupUse | undefined> {
  const [usage, cpuText, current, statText, max, pids] = await Promise.all([
    text(`${ROOT}/cpuacct${path}/cpuacct.usage`),
    text(`${ROOT}/cpu${path}/cpu.stat`),
    text(`${ROOT}/memory${path}/memory.usage_in_bytes`),
    text(`${ROOT}/memory${path}/memory.stat`),
    text(`${ROOT}/memory${path}/memory.limit_in_bytes`),
    text(`${ROOT}/pids${path}/pids.current`),
  ]);
  if (usage === undefined && current === undefined) return undefined;
  const cpu = parseKeyed(cpuText ?? "");
  const memory = parseKeyed(statText ?? "");
  const [usageBytes, limitBytes] = [number(current), number(max)];
  const swap = memory.get("total_swap");
  return {
    cpuSeconds: number(usage) / 1e9,
    periods: cpu.get("nr_periods") ?? 0,
    throttledPeriods: cpu.get("nr_throttled") ?? 0,
    throttledSeconds: (cpu.get("throttled_time") ?? 0) / 1e9,
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - (memory.get("total_inactive_file") ?? 0)),
    rssBytes: memory.get("total_rss") ?? 0,
    cacheBytes: memory.get("total_cache") ?? 0,
    limitBytes: limitBytes >= LIMIT_MAX ? 0 : limitBytes,
    processes: number(pids),
    pageFaults: memory.get("total_pgfault") ?? 0,
    majorPageFaults: memory.get("total_pgmajfault") ?? 0,
    ...(swap === undefined ? {} : { swapBytes: swap }),
    pressures: {},
  };
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** 0 for `max` and for what is not there. */
function number(value: string | undefined): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}

/** Lines of `name number`. */
function parseKeyed(lines: string): ReadonlyMap<string, number> {
  return new Map(
    lines.split("\n").map((line) => {
      const [name = "", value = ""] = line.split(" ");
      return [name, Number(value)];
    }),
  );
}
