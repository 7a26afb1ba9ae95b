import { readFileSync } from "node:fs";
import { readIfPresent, writeAtomically } from "./files.ts";

/** Which process a pid file means: the pid alone may have been given to another one since. */
export interface ProcessRecord {
  readonly pid: number;
  /** Ticks since boot, from /proc/PID/stat. */
  readonly startTime: string;
  readonly bootId: string;
  /** Written by the process itself once it does its work: an agent, when its node's network and DNS are up. */
  readonly isReady?: boolean;
}

/** The record of a process that lives now; `undefined` when there is none. */
export function recordOf(pid: number): ProcessRecord | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime, bootId: bootId() };
}

/** Writes this process's own pid file. */
export function writePidFile(path: string, pid: number = process.pid): void {
  writeAtomically(path, `${JSON.stringify(recordOf(pid))}\n`);
}

/** Says in this process's own pid file that it does its work now. */
export function markReady(path: string): void {
  writeAtomically(path, `${JSON.stringify({ ...recordOf(process.pid), isReady: true })}\n`);
}

/** True when the process that the file means lives and has said that it does its work. */
export function isMarkedReady(path: string): boolean {
  return readLiveRecord(path)?.isReady ?? false;
}

/** The process that the file means, if it still lives. A damaged file means none. */
export function readLivePid(path: string): number | undefined {
  return readLiveRecord(path)?.pid;
}

function readLiveRecord(path: string): ProcessRecord | undefined {
  const text = readIfPresent(path);
  if (!text) return undefined;
  try {
    const record = JSON.parse(text) as ProcessRecord;
    return isAlive(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** True while the very process of the record runs (zombies are dead). */
export function isAlive(record: ProcessRecord): boolean {
  return record.bootId === bootId() && startTimeOf(record.pid) === record.startTime;
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/**
 * Ticks since boot at which a process began; `undefined`: there is none, or it is a zombie.
 *
 * @spec proc(5): field 22 of /proc/PID/stat
 */
export function startTimeOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[19];
}

/** Pid of a process's parent; `undefined`: there is no such process, or it is a zombie. @spec proc(5): field 4 of /proc/PID/stat */
export function parentOf(pid: number): number | undefined {
  const parent = fieldsOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** @spec proc(5): /proc/PID/stat from field 3, the state, on; counted behind the command's closing bracket. */
function fieldsOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields;
  } catch {
    return undefined;
  }
}
