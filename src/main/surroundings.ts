import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import type { Surroundings } from "../cli/command.ts";
import { ConfigurationError } from "../scheduler/configuration-part.ts";
import { readConfiguration } from "../scheduler/configuration.ts";
import { terminated } from "./process-end.ts";

/** Where the machine's own programs are: `ip`, `nft`, `mount`, `containerd`, `runc`. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** What this process offers a command. `bin/skiff.cjs` sets SKIFF_ROOT, the package's folder, before anything else. */
export function surroundingsOf(clock: Clock, defaultHome: string): Surroundings {
  const root = process.env["SKIFF_ROOT"] ?? process.cwd();
  const userPath = process.env["PATH"] ?? "";
  // Root's PATH may lack them (cron, su); the processes that are started inherit it.
  process.env["PATH"] = [process.env["PATH"], ...SYSTEM_FOLDERS].filter(Boolean).join(":");
  return {
    clock,
    random: new SystemRandom(),
    // The clock's origin is the start of the process.
    startedAt: 0,
    home: resolve(process.env["SKIFF_HOME"] ?? defaultHome),
    environment: process.env,
    userPath,
    isRoot: process.getuid?.() === 0,
    program: {
      node: process.execPath,
      entry: join(root, "bin/skiff.cjs"),
      superviseScript: join(root, "dist/supervise.sh"),
    },
    schedulerConfigProblem,
    untilInterrupted: terminated,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
  };
}

function schedulerConfigProblem(text: string): string | undefined {
  try {
    readConfiguration(text);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}
