import type { Flag } from "./command.ts";
import type { ProcessCommand } from "./processes.ts";

const COMMON_FLAGS: readonly Flag[] = [
  {
    name: "name",
    kind: "text",
    placeholder: "NAME",
    description: "which cluster (default skiff)",
  },
  { name: "help", kind: "boolean", description: "this text" },
];

/** The text of `skiff --help`. */
export function overview(commands: readonly ProcessCommand[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    "Skiff runs Kubernetes clusters on this machine.",
    "",
    "Usage: skiff COMMAND [FLAGS]",
    "",
    "Commands:",
    ...columns(rows),
    "",
    "Every command takes --name NAME (which cluster, default skiff) and --help.",
    "State lies in $SKIFF_HOME (default ~/.skiff).",
  ].join("\n");
}

/** The text of `skiff COMMAND --help`. */
export function commandHelp(command: ProcessCommand): string {
  const { name, summary, operands, flags, details } = command;
  const rows = [...flags, ...COMMON_FLAGS].map(
    (flag) =>
      [
        `--${flag.name}${flag.placeholder ? ` ${flag.placeholder}` : ""}`,
        flag.description,
      ] as const,
  );
  return [
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    "",
    `Usage: skiff ${name} [FLAGS]${operands ? ` ${operands}` : ""}`,
    "",
    "Flags:",
    ...columns(rows),
    ...(details ? ["", details] : []),
  ].join("\n");
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
