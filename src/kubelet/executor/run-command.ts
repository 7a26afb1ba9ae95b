import { execFile } from "node:child_process";

/** Longest life of a helper command. `mount` takes 2 to 10 ms; doubling only delays the error of one that hangs. */
const COMMAND_MS_MAX = 30_000;

/**
 * Runs a program with an argument array; no shell ever sees the arguments.
 *
 * @throws {Error} it failed; the message has what it said.
 */
export function runCommand(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: COMMAND_MS_MAX }, (error, _stdout, stderr) => {
      if (!error) resolve();
      else reject(new Error(`${program}: ${stderr.trim() || error.message}`));
    });
  });
}
