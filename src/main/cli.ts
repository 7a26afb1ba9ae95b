import { homedir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../base/system-clock.ts";
import { LOCAL_COMMANDS } from "../cli/all.ts";
import { AGENT_COMMAND, SERVER_COMMAND } from "../cli/processes.ts";
import { runCommandLine } from "../cli/run-command-line.ts";
import { surroundingsOf } from "./surroundings.ts";

const surroundings = surroundingsOf(new SystemClock(), join(homedir(), ".skiff"));

void runCommandLine(LOCAL_COMMANDS, process.argv.slice(2), surroundings, [
  SERVER_COMMAND,
  AGENT_COMMAND,
]).then((status) => {
  process.exitCode = status;
});
