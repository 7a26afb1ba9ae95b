import { readdirSync, readFileSync } from "node:fs";

/** Processor time, which other processes on the machine do not add to. */
export interface CpuTime {
  /** Of the thread that runs JavaScript, in µs. */
  readonly main: number;
  /** Of all threads, in µs. */
  readonly all: number;
}

/** What a process has used since its start. @spec Documentation/scheduler/sched-stats.rst: first number of schedstat, in ns */
export function cpuTimeOf(pid: number): CpuTime {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => threadTime(pid, thread));
  return {
    main: threadTime(pid, String(pid)),
    all: threads.reduce((sum, time) => sum + time, 0),
  };
}

/** What this process's JavaScript has used, in µs. */
export function ownCpuTime(): number {
  return threadTime(process.pid, String(process.pid));
}

function threadTime(pid: number, thread: string): number {
  try {
    return (
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e3
    );
  } catch {
    return 0; // it ended meanwhile
  }
}
