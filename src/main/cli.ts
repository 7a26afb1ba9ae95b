import { homedir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../base/system-clock.ts";
import { LOCAL_COMMANDS } from "../cli/all.ts";
import { AGENT_COMMAND, SERVER_COMMAND } from "../cli/processes.ts";
import { runCommandLine } from "../cli/run-command-line.ts";
import { surroundingsOf } from "./surroundings.ts";

const surroundings = surroundingsOf(new SystemClock(), join(homedir(), ".skiff"));

/** What a shell says of a program that SIGPIPE (13) ended: `skiff status | head -1` is no error of ours. */
const BROKEN_PIPE_STATUS = 128 + 13;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(BROKEN_PIPE_STATUS);
});

void runCommandLine(LOCAL_COMMANDS, process.argv.slice(2), surroundings, [
  SERVER_COMMAND,
  AGENT_COMMAND,
]).then((status) => {
  process.exitCode = status;
});
