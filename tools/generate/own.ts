import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model, ModelField } from "./model.ts";

const FIELD = /^ {2}([\w$-]+)(!?) (\S+)(?: {2}(.*))?$/;

/** Types of groups that the model package lacks, from `facts/own.txt`; its notation is explained at its head. */
export function readOwnModels(root: string): readonly Model[] {
  const text = readFileSync(join(root, "tools/generate/facts/own.txt"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const models: { name: string; description: string; fields: ModelField[] }[] = [];
  for (const line of lines) {
    if (line.startsWith(" ")) models.at(-1)!.fields.push(parseField(line));
    else models.push({ ...parseHead(line), fields: [] });
  }
  return models;
}

function parseHead(line: string): { name: string; description: string } {
  const [name, description] = line.split("  ") as [string, string?];
  return { name, description: description ?? "" };
}

function parseField(line: string): ModelField {
  const match = FIELD.exec(line);
  if (!match) throw new Error(`facts/own.txt: cannot read ${line}`);
  const [, name, mark, type, description = ""] = match;
  return { name: name!, ...typeOf(type!), description, isRequired: mark === "!" };
}

/** The notation of the model package. */
function typeOf(text: string): { type: string; format: string } {
  const many = /^(\[\]|\{\})(.+)$/.exec(text);
  if (many) {
    const { type, format } = typeOf(many[2]!);
    return { type: many[1] === "[]" ? `Array<${type}>` : `{ [key: string]: ${type}; }`, format };
  }
  return text === "int32" || text === "int64"
    ? { type: "number", format: text }
    : { type: text, format: "" };
}
