import { findCommand, parseArguments } from "./arguments.ts";
import { UsageError, type Command, type Surroundings } from "./command.ts";
import { commandHelp, overview } from "./help.ts";
import type { ProcessCommand } from "./processes.ts";

/**
 * Runs one command line. `others`: commands that run elsewhere and are only named in the overview.
 *
 * @returns the exit status: 0 done, 1 failed, 2 the arguments make no sense.
 */
export async function runCommandLine(
  commands: readonly Command[],
  words: readonly string[],
  surroundings: Surroundings,
  others: readonly ProcessCommand[] = [],
): Promise<number> {
  try {
    return await dispatch(commands, words, surroundings, others);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    surroundings.complain(`skiff: ${message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function dispatch(
  commands: readonly Command[],
  words: readonly string[],
  surroundings: Surroundings,
  others: readonly ProcessCommand[] = [],
): Promise<number> {
  const { command, name, rest } = findCommand(commands, words);
  if (!command) {
    const group = commands.filter((candidate) => candidate.name.startsWith(`${name} `));
    if (group.length > 0) {
      surroundings.print(overview(group));
      return words.includes("--help") || words.includes("-h") ? 0 : 2;
    }
    if (name !== undefined && name !== "help")
      throw new UsageError(`unknown command '${name}': see 'skiff --help' for those there are`);
    surroundings.print(overview([...commands, ...others]));
    return words.length > 0 ? 0 : 2;
  }
  const { flags, operands, clusterName, wantsHelp } = parseArguments(command, rest);
  if (wantsHelp) {
    surroundings.print(commandHelp(command));
    return 0;
  }
  return command.run({ flags, operands, clusterName, surroundings });
}
