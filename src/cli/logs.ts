import { join } from "node:path";
import { runAttached } from "../host/command.ts";
import { lastLines, logNames } from "../host/log-file.ts";
import { UsageError, type Command, type Invocation } from "./command.ts";
import { existingCluster } from "./local.ts";

const LINES_DEFAULT = 50;

/** `skiff logs [ROLE]`: what the cluster's own processes wrote. */
export const logs: Command = {
  name: "logs",
  summary: "print what a cluster's own processes logged",
  operands: "[ROLE]",
  flags: [
    {
      name: "lines",
      kind: "integer",
      placeholder: "N",
      minimum: 1,
      description: `how many lines (default ${LINES_DEFAULT})`,
    },
    { name: "follow", kind: "boolean", description: "keep printing what is added (also -f)" },
  ],
  details:
    "ROLE is server, supervise, agent-NODE or containerd-NODE; without it, all are printed. For containers use 'kubectl logs'.",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, surroundings } = invocation;
  const { cluster } = existingCluster(invocation);
  const folder = cluster.state.logFolder;
  const names = logNames(folder);
  const wanted = operands.length > 0 ? operands : names;
  for (const name of wanted)
    if (!names.includes(name))
      throw new UsageError(`there is no log '${name}': expected ${names.join(", ")}`);
  const lines = flags.integer("lines") ?? LINES_DEFAULT;
  if (flags.isSet("follow"))
    return runAttached([
      "tail",
      "-n",
      String(lines),
      "-F",
      ...wanted.map((n) => join(folder, `${n}.log`)),
    ]);
  for (const name of wanted) {
    if (wanted.length > 1) surroundings.print(`==> ${name} <==`);
    lastLines(folder, name, lines).forEach(surroundings.print);
  }
  return 0;
}
