import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { parentOf } from "./process-record.ts";

/** Processes that keep one cluster running, by what their arguments say. */
export interface ClusterProcesses {
  /** The supervisor and its loops. */
  readonly supervisors: readonly number[];
  /** Servers and agents. */
  readonly roles: readonly number[];
}

/**
 * Finds the processes of the cluster whose state is in `path`.
 *
 * Why by their arguments: pid files are lost or overwritten in a crash, and the loops of a killed supervisor have none.
 */
export function findClusterProcesses(path: string): ClusterProcesses {
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((name) => [Number(name), argumentsOf(name)] as const);
  const matching = (test: (words: readonly string[]) => boolean): readonly number[] =>
    found.filter(([, words]) => test(words)).map(([pid]) => pid);
  return {
    supervisors: matching((words) => isSupervisor(words, path)),
    roles: matching((words) => isRole(words, path)),
  };
}

/**
 * The loops of a supervisor of the cluster whose state is in `path`: one for each role that would be started again.
 *
 * Why its children only: each loop forks for a moment, and until that becomes another program it looks like a loop.
 */
export function loopsOf(supervisor: number, path: string): readonly number[] {
  return findClusterProcesses(path).supervisors.filter((pid) => parentOf(pid) === supervisor);
}

/** `/bin/sh …/supervise.sh supervise PATH ROLE…` */
function isSupervisor([, script = "", role, state]: readonly string[], path: string): boolean {
  return basename(script) === "supervise.sh" && role === "supervise" && state === path;
}

/** `node … skiff.cjs server --data PATH …`, or the same behind `nsenter`. */
function isRole(words: readonly string[], path: string): boolean {
  const role = words.findIndex((word) => word === "server" || word === "agent");
  return (
    basename(words[role - 1] ?? "") === "skiff.cjs" && words[words.indexOf("--data") + 1] === path
  );
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // ended meanwhile
  }
}
