import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, arch, release, totalmem } from "node:os";

/** What the node is: read once at start. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly systemUuid: string;
  readonly kernel: string;
  readonly osImage: string;
  /** As Go names it: `amd64`. */
  readonly architecture: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Reads the machine. `stateRoot`: the folder whose disk the Pods share. */
export async function readMachine(stateRoot: string): Promise<Machine> {
  const text = async (path: string): Promise<string> =>
    (await readFile(path, "utf8").catch(() => "")).trim();
  const [machineId, bootId, uuid, osRelease, disk] = await Promise.all([
    text("/etc/machine-id"),
    text("/proc/sys/kernel/random/boot_id"),
    text("/sys/class/dmi/id/product_uuid"),
    text("/etc/os-release"),
    statfs(stateRoot).catch(() => undefined),
  ]);
  const osImage = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? "Linux";
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk ? disk.blocks * disk.bsize : 0,
    machineId,
    bootId,
    systemUuid: uuid || machineId,
    kernel: release(),
    osImage,
    architecture: ARCHITECTURES[arch()] ?? arch(),
  };
}
