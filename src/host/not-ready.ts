import { readIfPresent } from "./files.ts";
import type { StateFolder } from "./state-folder.ts";

/** The cluster did not become ready in time; its processes go on trying. */
export class NotReady extends Error {
  override readonly name = "NotReady";

  /** `role`: the process that is waited for. */
  constructor(what: string, state: StateFolder, role: string) {
    const end = lastWords(readIfPresent(state.log(role)) ?? "");
    super(
      `${what}${end === undefined ? "" : `, it ends with '${end}'`}: see the logs in ${state.logFolder} ` +
        `('skiff logs --name ${state.name}')`,
    );
  }
}

/** Why a process has ended, as it says in the last line of its log; `undefined`: it has not, or was killed. */
export function lastWords(log: string): string | undefined {
  return /(?:^|\n)skiff: (.+)\n$/.exec(log)?.[1];
}
