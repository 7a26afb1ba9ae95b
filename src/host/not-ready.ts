import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { StateFolder } from "./state-folder.ts";

/** The cluster did not become ready in time; its processes go on trying. */
export class NotReady extends Error {
  override readonly name = "NotReady";

  /** `role`: the process that is waited for. */
  constructor(what: string, state: StateFolder, role: string) {
    const end = lastWords(endOf(state.log(role)));
    super(
      `${what}${end === undefined ? "" : `, it ends with '${end}'`}: see the logs in ${state.logFolder} ` +
        `('skiff logs --name ${state.name}')`,
    );
  }
}

/** So much of a log is read for its last line; one that is longer tells nobody anything. */
const END_BYTES = 4_096;

/** The last lines of a log, however long it is; a log that cannot be read has none, as it must not hide what is told. */
export function endOf(path: string): string {
  try {
    const log = openSync(path, "r");
    try {
      const from = Math.max(0, fstatSync(log).size - END_BYTES);
      const end = Buffer.alloc(END_BYTES);
      const text = end.toString("utf8", 0, readSync(log, end, 0, END_BYTES, from));
      return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
    } finally {
      closeSync(log);
    }
  } catch {
    return "";
  }
}

/** Why a process has ended, as it says in the last line of its log; `undefined`: it has not, or was killed. */
export function lastWords(log: string): string | undefined {
  return /(?:^|\n)skiff: (.+)\n$/.exec(log)?.[1];
}
