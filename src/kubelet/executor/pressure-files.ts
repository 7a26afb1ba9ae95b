import { readFile } from "node:fs/promises";
import type { Pressure, PressurePart, Pressures } from "../server/stats-reading.ts";

/** Waiting times of the whole machine. */
export async function readMachinePressures(): Promise<Pressures> {
  return readPressures((resource) => `/proc/pressure/${resource}`);
}

/** Those of one cgroup; only version 2 counts them. `folder`: below /sys/fs/cgroup. */
export async function readCgroupPressures(folder: string): Promise<Pressures> {
  return readPressures((resource) => `${folder}/${resource}.pressure`);
}

async function readPressures(fileOf: (resource: string) => string): Promise<Pressures> {
  const read = async (resource: string): Promise<Pressure | undefined> => {
    const text = await readFile(fileOf(resource), "utf8").catch(() => undefined);
    return text === undefined ? undefined : parsePressure(text);
  };
  const [cpu, memory, io] = await Promise.all(["cpu", "memory", "io"].map(read));
  return { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}), ...(io ? { io } : {}) };
}

/** Lines of `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. @spec Documentation/accounting/psi.rst */
export function parsePressure(text: string): Pressure | undefined {
  const part = (name: string): PressurePart | undefined => {
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    if (!line) return undefined;
    const value = (key: string): number =>
      Number(new RegExp(` ${key}=([0-9.]+)`).exec(line)?.[1] ?? 0);
    return {
      total: value("total"),
      avg10: value("avg10"),
      avg60: value("avg60"),
      avg300: value("avg300"),
    };
  };
  const some = part("some");
  return some && { some, full: part("full") ?? { total: 0, avg10: 0, avg60: 0, avg300: 0 } };
}
