import { readFileSync } from "node:fs";
import { join } from "node:path";

/** How one field travels as protobuf. */
export interface FieldNumber {
  readonly number: number;
  /** The numbers of the messages that it stands in, outermost first, where Go's struct embeds another. */
  readonly within?: readonly number[];
  readonly isPointer?: true;
}

/** `core.v1.Pod` → field → number. */
export type Numbers = ReadonlyMap<string, ReadonlyMap<string, FieldNumber>>;

const FIELD = /^([\w$-]+)=((?:\d+\.)*)(\d+)(\?)?$/;

/** Reads the table of field numbers; its notation is explained at its head. */
export function readNumbers(root: string): Numbers {
  const text = readFileSync(join(root, "tools/generate/facts/protobuf.txt"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(": ");
      const words = line.slice(colon + 2).split(" ");
      return [line.slice(0, colon), new Map(words.map((word) => parseField(word, line)))];
    }),
  );
}

function parseField(word: string, line: string): [string, FieldNumber] {
  const match = FIELD.exec(word);
  if (!match) throw new Error(`facts/protobuf.txt: cannot read ${word} in: ${line}`);
  const [, name, path, number, pointer] = match;
  const within = path!.split(".").filter(Boolean).map(Number);
  return [
    name!,
    {
      number: Number(number),
      ...(within.length > 0 && { within }),
      ...(pointer && { isPointer: true as const }),
    },
  ];
}
