import { execFile, spawn } from "node:child_process";

/** Longest a system command may take, in ms: they answer in 2–20 ms; a minute means the machine is stuck. */
const COMMAND_MS_MAX = 60_000;

/** A system command failed. Carries its own words, which say more than we could. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly exitCode: number | undefined;

  constructor(command: readonly string[], exitCode: number | undefined, stderr: string) {
    super(`${command.join(" ")}: ${stderr.trim() || `exit status ${exitCode ?? "unknown"}`}`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program of the machine with an argument array (no shell) and returns its standard output.
 *
 * @throws {CommandFailed} it could not be started, or ended with another status than 0.
 */
export function runCommand(command: readonly string[], input = ""): Promise<string> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file!,
      args,
      { timeout: COMMAND_MS_MAX, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const code = typeof error.code === "number" ? error.code : undefined;
        reject(new CommandFailed(command, code, stderr || error.message));
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** Like {@link runCommand}, for undoing: what is already gone is no failure. */
export async function tryCommand(
  command: readonly string[],
  input = "",
): Promise<string | undefined> {
  try {
    return await runCommand(command, input);
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}

/** Runs a program on this terminal and resolves with its exit status (128 + signal number when a signal ended it). */
export function runAttached(
  command: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<number> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file!, args, { stdio: "inherit", env: { ...process.env, ...environment } });
    child.on("error", (error) => reject(new CommandFailed(command, undefined, error.message)));
    child.on("exit", (code, signal) => resolve(code ?? (signal ? 128 : 1)));
  });
}
