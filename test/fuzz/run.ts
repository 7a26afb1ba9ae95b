import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Draw } from "./draw.ts";
import { isUnpolluted } from "./json-values.ts";
import type { FuzzTarget } from "./target.ts";

/** Inputs that failed once, kept for good: `corpus/TARGET/WHAT`. */
const CORPUS = "test/fuzz/corpus";
/** Where an input that fails now is written. */
const FOUND = "build/fuzz";

/** Milliseconds of processor time for one input; the largest drawn has some 100 kB. */
const MS_MAX = 400;

/** What an input broke, and the file that holds it. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** Checks one input. @throws {Finding} */
export async function tryInput(target: FuzzTarget, input: Buffer, from: string): Promise<void> {
  const start = process.cpuUsage();
  try {
    await target.check(input);
    if (!isUnpolluted()) throw new Error("something was added to what all objects inherit");
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1000;
    if (ms > (target.msMax ?? MS_MAX)) throw new Error(`took ${Math.round(ms)} ms`);
  } catch (error) {
    const file = keep(target, input);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Finding(`${target.name}, ${from}: ${text}\ninput: ${file}\n${shown(input)}`);
  }
}

function keep(target: FuzzTarget, input: Buffer): string {
  const hash = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const file = join(FOUND, target.name, hash);
  mkdirSync(join(FOUND, target.name), { recursive: true });
  writeFileSync(file, input);
  return file;
}

function shown(input: Buffer): string {
  return input.length > 2000 ? `${input.subarray(0, 2000).toString()} …` : input.toString();
}

/** The kept inputs of a target: name and bytes. */
export function corpusOf({ name }: FuzzTarget): readonly (readonly [string, Buffer])[] {
  const folder = join(CORPUS, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
}

/** Checks the input of one seed. @throws {Finding} */
export async function trySeed(target: FuzzTarget, seed: number): Promise<void> {
  await tryInput(target, target.make(new Draw(seed)), `seed ${seed}`);
}
