import { clusterNameProblem } from "../host/state-folder.ts";
import { UsageError, type Command, type Flag, type Flags } from "./command.ts";

/** A command line, taken apart for one command. */
export interface ParsedArguments {
  readonly flags: Flags;
  readonly operands: readonly string[];
  readonly clusterName: string;
  readonly wantsHelp: boolean;
}

const NAME_FLAG: Flag = { name: "name", kind: "text", description: "" };
const HELP_FLAG: Flag = { name: "help", kind: "boolean", description: "" };
const DEFAULT_NAME = "skiff";

/**
 * The command that the words name, and the rest of them. `--name NAME` may stand before it.
 *
 * @returns `command` absent: none was named (`name` is then the word that is no command, if any).
 */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command?: Command; readonly name?: string; readonly rest: readonly string[] } {
  const leading: string[] = [];
  let index = 0;
  while (words[index]?.startsWith("-")) {
    leading.push(words[index]!);
    if (words[index] === "--name") leading.push(words[++index] ?? "");
    index++;
  }
  const name = words[index];
  const pair = `${name} ${words[index + 1]}`;
  const command =
    commands.find((candidate) => candidate.name === pair) ??
    commands.find((candidate) => candidate.name === name);
  if (!command) return { ...(name === undefined ? {} : { name }), rest: leading };
  const used = command.name === pair ? 2 : 1;
  return { command, rest: [...leading, ...words.slice(index + used)] };
}

/** @throws {UsageError} an unknown flag, a missing or malformed value. */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const known = [...command.flags, NAME_FLAG, HELP_FLAG];
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") {
      operands.push(...words.slice(command.passesThrough ? i : i + 1));
      break;
    }
    if (!isFlag(word)) {
      if (command.passesThrough) {
        operands.push(...words.slice(i));
        break;
      }
      operands.push(word);
      continue;
    }
    const { flag, inline } = lookUp(command, known, word);
    const takesValue = flag.kind !== "boolean";
    const value = inline ?? (takesValue ? words[++i] : "true");
    if (value === undefined)
      throw new UsageError(
        `--${flag.name} needs a value: --${flag.name} ${flag.placeholder ?? "VALUE"}`,
      );
    checkValue(flag, value);
    values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
  }
  const clusterName = values.get("name")?.at(-1) ?? DEFAULT_NAME;
  const problem = clusterNameProblem(clusterName);
  if (problem) throw new UsageError(problem);
  const wantsHelp = values.get("help")?.at(-1) === "true";
  return { flags: flagsOf(values), operands, clusterName, wantsHelp };
}

function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

const SHORT: Readonly<Record<string, string>> = { h: "help", o: "output", f: "follow" };

function lookUp(
  command: Command,
  known: readonly Flag[],
  word: string,
): { readonly flag: Flag; readonly inline?: string } {
  const equals = word.indexOf("=");
  const text = (equals < 0 ? word : word.slice(0, equals)).replace(/^--?/, "");
  const name = word.startsWith("--") ? text : (SHORT[text] ?? text);
  const flag = known.find((candidate) => candidate.name === name);
  if (!flag)
    throw new UsageError(
      `unknown flag '${word}': see 'skiff ${command.name} --help' for those there are`,
    );
  return equals < 0 ? { flag } : { flag, inline: word.slice(equals + 1) };
}

function checkValue(flag: Flag, value: string): void {
  const refuse = (expected: string): never => {
    throw new UsageError(`--${flag.name} '${value}': expected ${expected}`);
  };
  if (flag.choices && !flag.choices.includes(value)) refuse(flag.choices.join(" or "));
  if (flag.kind === "boolean" && value !== "true" && value !== "false") refuse("true or false");
  if (flag.kind !== "integer") return;
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = flag;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < minimum || number > maximum)
    refuse(
      maximum === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${minimum}`
        : `a whole number from ${minimum} to ${maximum}`,
    );
}

function flagsOf(values: ReadonlyMap<string, readonly string[]>): Flags {
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  return {
    text: last,
    integer: (name) => (values.has(name) ? Number(last(name)) : undefined),
    isSet: (name) => last(name) === "true",
    list: (name) => values.get(name) ?? [],
  };
}
