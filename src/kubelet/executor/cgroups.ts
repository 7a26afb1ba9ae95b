import { existsSync, writeFileSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { PERIOD_MICROS, weightOf, type PodCgroup } from "../runtime/resources.ts";

const ROOT = "/sys/fs/cgroup";

/**
 * Gives a Pod's cgroup, which the runtime has made, its limits; a hierarchy that is not there limits nothing.
 *
 * @throws {Error} the kernel refuses a value.
 */
export function limitCgroup(path: string, limits: PodCgroup): void {
  const { cpuShares, cpuQuota, memoryBytes } = limits;
  const isUnified = existsSync(`${ROOT}/cgroup.controllers`);
  const cpu = isUnified ? `${ROOT}${path}` : `${ROOT}/cpu${path}`;
  const memory = isUnified
    ? `${ROOT}${path}/memory.max`
    : `${ROOT}/memory${path}/memory.limit_in_bytes`;
  if (isUnified) write(`${cpu}/cpu.weight`, weightOf(cpuShares));
  else write(`${cpu}/cpu.shares`, cpuShares);
  if (cpuQuota !== undefined && isUnified) write(`${cpu}/cpu.max`, `${cpuQuota} ${PERIOD_MICROS}`);
  else if (cpuQuota !== undefined) write(`${cpu}/cpu.cfs_quota_us`, cpuQuota);
  if (memoryBytes !== undefined) write(memory, memoryBytes);
}

function write(file: string, value: string | number): void {
  if (existsSync(file)) writeFileSync(file, String(value));
}

/**
 * Removes a cgroup and its empty children in every hierarchy (v1) or the one (v2). What still has processes stays: the
 * runtime removes it when they end.
 */
export async function removeCgroup(path: string): Promise<void> {
  const tops = (await readdir(ROOT, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${ROOT}/${name}`);
  await Promise.all([ROOT, ...tops].map((top) => removeTree(`${top}${path}`)));
}

async function removeTree(folder: string): Promise<void> {
  // Mostly it is empty or gone already, which this one call settles.
  const refusal = await rmdir(folder).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (refusal === undefined || refusal === "ENOENT") return;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(`${folder}/${entry.name}`);
  await rmdir(folder).catch(() => {});
}
