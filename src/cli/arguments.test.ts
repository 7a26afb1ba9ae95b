import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LOCAL_COMMANDS } from "./all.ts";
import { findCommand, parseArguments } from "./arguments.ts";
import { UsageError } from "./command.ts";

function parse(line: string): string {
  const { command, rest } = findCommand(LOCAL_COMMANDS, line.split(" "));
  if (!command) return "no command";
  const { flags, operands, clusterName } = parseArguments(command, rest);
  const set = command.flags.flatMap(({ name }) =>
    flags.list(name).map((value) => `${name}=${value}`),
  );
  return [command.name, `@${clusterName}`, ...set, ...operands].join(" ");
}

describe("a command line", () => {
  for (const [line, expected] of [
    ["start", "start @skiff"],
    ["start --nodes 2 --name a", "start @a nodes=2"],
    ["--name a start --nodes=2", "start @a nodes=2"],
    ["status -o json", "status @skiff output=json"],
    ["kubectl get pods -A --name x", "kubectl @skiff get pods -A --name x"],
    ["kubectl --name b get pods", "kubectl @b get pods"],
    ["ssh skiff-1 -- ls -l --name", "ssh @skiff skiff-1 -- ls -l --name"],
    ["service web --url", "service @skiff url=true web"],
    ["nonsense", "no command"],
  ] as const) {
    it(`'${line}' means '${expected}'`, () => assert.equal(parse(line), expected));
  }

  for (const [line, message] of [
    ["start --nods 2", /unknown flag '--nods'.*skiff start --help/],
    ["start --nodes", /--nodes needs a value: --nodes N/],
    ["start --nodes two", /--nodes 'two': expected a whole number from 1 to 200/],
    ["start --output yaml", /--output 'yaml': expected text or json/],
    ["start --name Big", /'Big' cannot name a cluster/],
  ] as const) {
    it(`'${line}' is refused`, () => {
      assert.throws(
        () => parse(line),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});
