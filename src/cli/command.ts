import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Program } from "../host/roles.ts";

/** One command of `skiff`, as data and one function. */
export interface Command {
  /** `start`, `image load`: one or two words. */
  readonly name: string;
  readonly summary: string;
  /** What stands behind the flags in the usage line, such as `NODE -- COMMAND …`; "" for nothing. */
  readonly operands: string;
  readonly flags: readonly Flag[];
  /** Said in the help, below the flags. */
  readonly details?: string;
  /** From the first operand on, everything is handed on as it is (`kubectl`, `ssh`). */
  readonly passesThrough?: boolean;
  /** @returns the exit status. @throws {UsageError} exit 2. {Error} its message is shown, exit 1. */
  run(invocation: Invocation): Promise<number>;
}

/** A flag of a command. `--name NAME` and `--help` are everywhere and are not listed. */
export interface Flag {
  readonly name: string;
  readonly kind: "text" | "integer" | "boolean" | "list";
  /** In the help: `--nodes N`. */
  readonly placeholder?: string;
  readonly description: string;
  /** Values allowed; others are refused with the list. */
  readonly choices?: readonly string[];
  /** For integers. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Everything a running command may use. */
export interface Invocation {
  readonly flags: Flags;
  readonly operands: readonly string[];
  /** `--name`, checked. */
  readonly clusterName: string;
  readonly surroundings: Surroundings;
}

/** Parsed flags by name, without dashes. */
export interface Flags {
  text(name: string): string | undefined;
  integer(name: string): number | undefined;
  isSet(name: string): boolean;
  list(name: string): readonly string[];
}

/** The process around a command, made by `main`. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** When the command's first line of code ran, on the clock's monotonic scale. */
  readonly startedAt: number;
  /** $SKIFF_HOME, or ~/.skiff. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** PATH as the user has it; the environment's own one also has the system's folders. */
  readonly userPath: string;
  readonly isRoot: boolean;
  readonly program: Program;
  /** What is wrong with the text of a scheduler's configuration. */
  schedulerConfigProblem(text: string): string | undefined;
  /** Resolves when the user or the system asks this process to end. */
  untilInterrupted(): Promise<void>;
  /** Writes one line to standard output. */
  print(line: string): void;
  /** Writes one line to standard error. */
  complain(line: string): void;
}

/** The arguments make no sense: exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** `--output json`, for commands whose result a script may want. */
export const OUTPUT_FLAG: Flag = {
  name: "output",
  kind: "text",
  placeholder: "FORMAT",
  choices: ["text", "json"],
  description: "text or json (default text)",
};

/** True when the user asked for JSON. */
export function wantsJson(flags: Flags): boolean {
  return flags.text("output") === "json";
}
