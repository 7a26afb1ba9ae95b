import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { withLock } from "./file-lock.ts";
import { makeFolder, readIfPresent, writeAtomically } from "./files.ts";
import {
  ipForward,
  lowerMachineNetwork,
  type MachineNetwork,
  raiseMachineNetwork,
  restoreIpForward,
} from "./machine-network.ts";
import { NODE_MOUNT_POINTS } from "./node-namespace.ts";

/** Sockets of all running clusters on the machine, whoever's they are; gone after a reboot, as `ip_forward` is. */
const SOCKETS = "/run/skiff";
const RECORD = "given.json";
/** How long the raising or lowering of other clusters may take, in ms: 50 ms each. */
const LOCK_MS_MAX = 30_000;

/** What the machine was before the first running cluster; given back when the last one stops. */
interface MachineRecord {
  readonly ipForwardBefore: string;
  /** Mount points that were made, because nodes mount over them. */
  readonly folders: readonly string[];
}

/** Mount points of nodes that the machine lacks. */
export function missingMountPoints(): readonly string[] {
  return NODE_MOUNT_POINTS.filter((path) => !existsSync(path));
}

/**
 * Gives the machine's own namespace what a running cluster needs there. Repeating it changes nothing.
 *
 * `folders`: mount points that earlier starts of this cluster made.
 */
export async function raiseMachine(
  clock: Clock,
  network: MachineNetwork,
  socketFolder: string,
  folders: readonly string[],
): Promise<void> {
  await lockMachine(clock, async () => {
    const known = readRecord();
    const made = new Set([...(known?.folders ?? missingMountPoints()), ...folders]);
    const record: MachineRecord = {
      ipForwardBefore: known?.ipForwardBefore ?? ipForward(),
      folders: [...made],
    };
    writeAtomically(join(SOCKETS, RECORD), `${JSON.stringify(record)}\n`);
    makeFolder(socketFolder);
    await raiseMachineNetwork(network);
  });
}

/** Takes it back; with the last running cluster of the machine also what all of them shared. */
export async function lowerMachine(
  clock: Clock,
  network: Pick<MachineNetwork, "bridge" | "table">,
  socketFolder: string,
  folders: readonly string[],
): Promise<void> {
  await lockMachine(clock, async () => {
    await lowerMachineNetwork(network);
    rmSync(socketFolder, { recursive: true, force: true });
    if (existsSync(SOCKETS) && readdirSync(SOCKETS).some((name) => name !== RECORD)) return;
    const record = readRecord();
    if (record) restoreIpForward(record.ipForwardBefore);
    for (const folder of record?.folders ?? folders) removeIfEmpty(folder);
    rmSync(SOCKETS, { recursive: true, force: true });
  });
}

/** Removes an empty folder; one that is in use or not there stays as it is. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EBUSY") throw error;
  }
}

function readRecord(): MachineRecord | undefined {
  try {
    return JSON.parse(readIfPresent(join(SOCKETS, RECORD)) ?? "") as MachineRecord;
  } catch {
    return undefined;
  }
}

/** Runs `body` while no other cluster of the machine, whoever's it is, changes what all of them share. */
export function lockMachine<T>(clock: Clock, body: () => Promise<T>): Promise<T> {
  const lock = { name: "machine", what: "the network of this machine" };
  return withLock(clock, lock, "skiff", LOCK_MS_MAX, body);
}
