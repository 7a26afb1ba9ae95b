import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { sleep, type Clock } from "../base/clock.ts";
import { findClusterProcesses } from "./cluster-processes.ts";
import { makeFolder, writeAtomically } from "./files.ts";
import { readLivePid, startTimeOf, writePidFile } from "./process-record.ts";
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

/**
 * Starts the supervisor and with it the first role; the others when the function that it returns is called. Should this
 * process end before that, the supervisor ends, too. `script`: path of supervise.sh. `withheld`: variables of the
 * environment that they do not get.
 */
export function startSupervisor(
  state: StateFolder,
  script: string,
  roles: readonly Role[],
  withheld: readonly string[],
): () => void {
  makeFolder(state.runFolder);
  makeFolder(state.logFolder);
  for (const { name, command } of roles) {
    writeAtomically(state.argumentsFile(name), `${command.join("\n")}\n`);
    // The shell that opens it later would make it readable for everybody.
    closeSync(openSync(state.log(name), "a", 0o600));
  }
  const log = openSync(state.log("supervise"), "a", 0o600);
  const child = spawn("/bin/sh", [script, "supervise", state.path, ...roles.map((r) => r.name)], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", log, log],
    env: without(process.env, [...withheld, ...SLOW_VARIABLES]),
  });
  if (child.pid === undefined) throw new Error(`cannot start /bin/sh ${script}`);
  closeSync(log);
  writePidFile(state.pidFile("supervise"), child.pid);
  child.unref();
  child.stdin?.on("error", () => {});
  return () => void child.stdin?.end("go\n");
}

/**
 * Node reads the authorities that this names whenever it starts, which takes it 0.1 s; the cluster's own processes trust
 * its own authority alone.
 */
const SLOW_VARIABLES = ["NODE_EXTRA_CA_CERTS"];

function without(environment: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return { ...environment, ...Object.fromEntries(names.map((name) => [name, undefined])) };
}

/** The supervisor's pid while it lives. */
export function supervisorPid(state: StateFolder): number | undefined {
  return readLivePid(state.pidFile("supervise"));
}

/** Ends the supervisor, and with it server and agents; resolves when none of them lives. Containers run on. */
export async function stopSupervisor(clock: Clock, state: StateFolder): Promise<void> {
  await endProcesses(clock, findClusterProcesses(state.path).supervisors);
  await endProcesses(clock, findClusterProcesses(state.path).roles);
}

/**
 * SIGTERM, then SIGKILL for those that still live after `graceMs`.
 *
 * A pid is somebody else's once its process has ended, so each is looked at with its start time before every signal.
 */
export async function endProcesses(
  clock: Clock,
  pids: readonly number[],
  graceMs = END_MS_MAX,
): Promise<void> {
  const until = clock.monotonic() + graceMs;
  const begun = new Map(pids.map((pid) => [pid, startTimeOf(pid)]));
  const lives = (pid: number): boolean => {
    const startTime = startTimeOf(pid);
    return startTime !== undefined && startTime === begun.get(pid);
  };
  pids.filter(lives).forEach((pid) => signal(pid, "SIGTERM"));
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
 * Why by the folder that they see at `mountPoint`: that holds for namespaces that are no longer pinned, too.
 * @shape `folder`: what only this node has mounted there. `cgroup`: a path below each hierarchy's root, such as
 *        `/skiff-ID/NODE`.
 */
export function processesOfNode(
  folder: string,
  mountPoint: string,
  cgroup: string,
): readonly number[] {
  const own = identityOf(folder);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      if (own !== undefined && identityOf(`/proc/${pid}/root${mountPoint}`) === own) return true;
      return groupsOf(pid).some((group) => group.startsWith(`${cgroup}/`));
    })
    .map(Number);
}

/** Device and inode of a path; `undefined`: there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Paths of a process's control groups, one for each hierarchy; empty: it ended meanwhile. */
function groupsOf(pid: string): readonly string[] {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
    return lines.map((line) => line.slice(line.lastIndexOf(":") + 1));
  } catch {
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
