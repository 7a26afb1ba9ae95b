import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { PERIOD_MICROS, weightOf, type PodCgroup } from "../runtime/resources.ts";

const ROOT = "/sys/fs/cgroup";

/** Limits of a cgroup; an absent one is left as it is. */
export type CgroupLimits = Partial<PodCgroup>;

/** One limit: where the kernel keeps it, and in which words. */
interface Setting {
  readonly file: string;
  readonly text: string;
  /** Larger is more; what the kernel holds is read the same way. */
  readonly amount: number;
}

/**
 * Gives a Pod's cgroup, which the runtime has made, its limits; a hierarchy that is not there limits nothing.
 *
 * @throws {Error} the kernel refuses a value.
 */
export function limitCgroup(path: string, limits: CgroupLimits): void {
  for (const { file, text } of settingsOf(path, limits))
    if (existsSync(file)) writeFileSync(file, text);
}

/** Those of the limits that give more than there is now. */
export function raiseCgroup(path: string, limits: CgroupLimits): void {
  changeCgroup(path, limits, (next, present) => next > present);
}

/** Those of the limits that give less than there is now. */
export function cutCgroup(path: string, limits: CgroupLimits): void {
  changeCgroup(path, limits, (next, present) => next < present);
}

function changeCgroup(
  path: string,
  limits: CgroupLimits,
  isDue: (next: number, present: number) => boolean,
): void {
  for (const { file, text, amount } of settingsOf(path, limits)) {
    const present = read(file);
    if (present !== undefined && isDue(amount, amountIn(present))) writeFileSync(file, text);
  }
}

/** Bytes that a cgroup has in use now; `undefined`: it is gone. */
export function memoryUseOf(path: string): number | undefined {
  const text =
    read(`${ROOT}${path}/memory.current`) ?? read(`${ROOT}/memory${path}/memory.usage_in_bytes`);
  return text === undefined ? undefined : Number(text);
}

function settingsOf(path: string, limits: CgroupLimits): readonly Setting[] {
  const { cpuShares, cpuQuota, memoryBytes } = limits;
  const isUnified = existsSync(`${ROOT}/cgroup.controllers`);
  const cpu = isUnified ? `${ROOT}${path}` : `${ROOT}/cpu${path}`;
  const memory = isUnified ? `${ROOT}${path}` : `${ROOT}/memory${path}`;
  const setting = (file: string, amount: number, text = String(amount)): Setting => ({
    file,
    text,
    amount,
  });
  const settings: Setting[] = [];
  if (cpuShares !== undefined)
    settings.push(
      isUnified
        ? setting(`${cpu}/cpu.weight`, weightOf(cpuShares))
        : setting(`${cpu}/cpu.shares`, cpuShares),
    );
  if (cpuQuota !== undefined)
    settings.push(
      isUnified
        ? setting(`${cpu}/cpu.max`, cpuQuota, `${cpuQuota} ${PERIOD_MICROS}`)
        : setting(`${cpu}/cpu.cfs_quota_us`, cpuQuota),
    );
  if (memoryBytes !== undefined)
    settings.push(
      setting(`${memory}/${isUnified ? "memory.max" : "memory.limit_in_bytes"}`, memoryBytes),
    );
  return settings;
}

/** `max` and -1 are no limit at all. */
function amountIn(text: string): number {
  const first = text.trim().split(" ")[0] ?? "";
  return first === "max" || first === "-1" ? Infinity : Number(first);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
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
