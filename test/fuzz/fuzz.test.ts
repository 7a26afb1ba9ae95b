import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { treeSeed } from "../support/tree-seed.ts";
import { corpusOf, Finding, tryInput, trySeed } from "./run.ts";
import { TARGETS, type Starter } from "./targets.ts";

/** Seeds of one target lie this far from those of the next. */
const SEEDS_MAX = 2 ** 20;

/** Runs as a program: `fuzz [--target NAME] [--fresh] [--seconds N] [--seed N] [--input FILE]`. */
async function main(words: readonly string[]): Promise<number> {
  const flag = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const wanted = flag("--target");
  if (wanted !== undefined && !TARGETS.has(wanted)) {
    console.error(`no target '${wanted}': expected ${[...TARGETS.keys()].join(", ")}`);
    return 2;
  }
  const seconds = Number(flag("--seconds") ?? 10);
  const fresh = words.includes("--fresh") ? Math.floor(Math.random() * 2 ** 32) : treeSeed();
  const first = Number(flag("--seed") ?? fresh);
  const file = flag("--input");
  if (file !== undefined) return tryFile(TARGETS.get(wanted ?? "") ?? fail, file);
  let findings = 0;
  for (const [name, start] of TARGETS)
    if (wanted === undefined || wanted === name)
      findings += await runFor(start, first, seconds * 1000, words.includes("--seed"));
  return findings === 0 ? 0 : 1;
}

function fail(): never {
  throw new Error("--input needs --target");
}

async function tryFile(start: Starter, file: string): Promise<number> {
  const target = await start();
  await tryInput(target, readFileSync(file), file);
  await target.close?.();
  console.log(`${target.name}: ${file} is fine`);
  return 0;
}

/** Runs seed after seed until the time is over. @returns how many inputs failed, at most ten */
async function runFor(
  start: Starter,
  first: number,
  ms: number,
  isSingle: boolean,
): Promise<number> {
  const target = await start();
  const end = performance.now() + ms;
  const found = new Set<string>();
  let count = 0;
  for (; found.size < 10 && performance.now() < end; count++) {
    await trySeed(target, first + count).catch((error: unknown) => {
      if (!(error instanceof Finding)) throw error;
      const kind = /src\/[\w/.-]+:\d+/.exec(error.message)?.[0] ?? error.message.split("\n")[0]!;
      if (!found.has(kind)) console.error(error.message);
      found.add(kind);
    });
    if (isSingle) break;
  }
  await target.close?.();
  console.log(`${target.name}: ${count} inputs from seed ${first}, ${found.size} failed`);
  return found.size;
}

const [command, ...words] = process.argv.slice(2);
if (command === "fuzz") process.exitCode = await main(words);
else
  describe("any input", () => {
    const seed = treeSeed();
    for (const [index, [name, start]] of [...TARGETS].entries())
      it(`is a value or a refusal: ${name}`, async () => {
        const target = await start();
        for (const [file, input] of corpusOf(target)) await tryInput(target, input, file);
        for (let run = 0; run < target.runs; run++)
          await trySeed(target, (seed + index * SEEDS_MAX + run) >>> 0);
        await target.close?.();
      });
  });
