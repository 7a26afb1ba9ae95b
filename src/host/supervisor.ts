import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, openSync } from "node:fs";
import { join } from "node:path";
import { sleep, type Clock } from "../base/clock.ts";
import { makeFolder, writeAtomically } from "./files.ts";
import { readLivePid, writePidFile } from "./process-record.ts";
import type { StateFolder } from "./state-folder.ts";

/** A process of the cluster that is kept running. */
export interface Role {
  /** `server`, `agent-NODE`: names its log, its pid file and its arguments file. */
  readonly name: string;
  readonly command: readonly string[];
}

/** How long a process may take to end after SIGTERM, in ms, before it is killed. The server closes in < 100 ms. */
const END_MS_MAX = 5_000;
/** Pause between two looks at a process that is ending, in ms. */
const LOOK_MS = 10;

/** Starts the supervisor and with it all roles. `script`: path of supervise.sh. */
export function startSupervisor(state: StateFolder, script: string, roles: readonly Role[]): void {
  makeFolder(state.runFolder);
  makeFolder(state.logFolder);
  for (const { name, command } of roles)
    writeAtomically(state.argumentsFile(name), `${command.join("\n")}\n`);
  const log = openSync(state.log("supervise"), "a", 0o600);
  const child = spawn("/bin/sh", [script, "supervise", state.path, ...roles.map((r) => r.name)], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
  });
  if (child.pid === undefined) throw new Error(`cannot start /bin/sh ${script}`);
  writePidFile(state.pidFile("supervise"), child.pid);
  child.unref();
}

/** The supervisor's pid while it lives. */
export function supervisorPid(state: StateFolder): number | undefined {
  return readLivePid(state.pidFile("supervise"));
}

/** Ends the supervisor, and with it its roles; resolves when none of `roles` lives any more. */
export async function stopSupervisor(
  clock: Clock,
  state: StateFolder,
  roles: readonly string[],
): Promise<void> {
  const supervisor = supervisorPid(state);
  if (supervisor !== undefined) await endProcesses(clock, [supervisor]);
  const rest = roles.flatMap((role) => readLivePid(state.pidFile(role)) ?? []);
  await endProcesses(clock, rest);
}

/** SIGTERM, then SIGKILL for those that still live after `graceMs`. */
export async function endProcesses(
  clock: Clock,
  pids: readonly number[],
  graceMs = END_MS_MAX,
): Promise<void> {
  const until = clock.monotonic() + graceMs;
  pids.forEach((pid) => signal(pid, "SIGTERM"));
  let rest = pids.filter(lives);
  while (rest.length > 0 && clock.monotonic() < until) {
    await sleep(clock, LOOK_MS);
    rest = rest.filter(lives);
  }
  rest.forEach((pid) => signal(pid, "SIGKILL"));
  while (rest.length > 0) {
    await sleep(clock, LOOK_MS);
    rest = rest.filter(lives);
  }
}

/**
 * All processes of a node: those inside its mount namespace, and those in its control groups (containers, which have
 * mount namespaces of their own).
 *
 * @shape `mountPin`: the pinned namespace file. `cgroup`: a path below each hierarchy's root, such as `/skiff-ID/NODE`.
 */
export function processesOfNode(mountPin: string, cgroup: string): readonly number[] {
  const namespace = pinnedNamespace(mountPin);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (namespace && readlinkSync(`/proc/${pid}/ns/mnt`) === namespace) return true;
        const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
        return groups
          .split("\n")
          .some((line) => line.slice(line.lastIndexOf(":") + 1).startsWith(`${cgroup}/`));
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);
}

/** `mnt:[4026532…]`: what /proc/PID/ns/mnt of a process inside reads; `undefined` when nothing is pinned there. */
function pinnedNamespace(pin: string): string | undefined {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((mount) => mount.split(" ")[4] === pin);
  return line?.split(" ")[3];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function lives(pid: number): boolean {
  try {
    const stat = readFileSync(join("/proc", String(pid), "stat"), "utf8");
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}
