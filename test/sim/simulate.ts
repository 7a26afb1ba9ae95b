import { mkdirSync, writeFileSync } from "node:fs";
import { SystemRandom } from "../../src/base/system-random.ts";
import { treeSeed } from "../support/tree-seed.ts";
import { runSeed, type Outcome, type Trouble } from "./run-seed.ts";

const HELP = `npm run sim -- [OPTIONS]   runs whole clusters in one process, each from a seed

  --seed N       this one
  --seeds COUNT  so many, from one that the sources' hash gives (default 100), or from --from
  --from N       the first of them
  --fresh        from one that nobody has run before
  --storm        each in a storm of faults: other worlds than without
  --crowded      in each the nodes are full, and who is worth more pushes in
  --fault NAME   no faults but this one, as it is called in test/sim/faults
  --trace        prints everything that happened
  --show KEY     prints every version of an object: NAMESPACE/NAME, or NAME`;

/** Where traces of seeds that failed are written. */
const FOLDER = "build/sim";
/** Problems of one seed that are printed. */
const PROBLEMS_MAX = 10;
const SEEDS_DEFAULT = 100;

/** What the command line asks for. */
interface Wish {
  readonly first: number;
  readonly count: number;
  readonly trouble: Trouble;
  readonly printsTrace: boolean;
  readonly show: string | undefined;
}

/** `npm run sim`. @returns the exit code: 1 when a promise was broken, 2 when the arguments make no sense */
export async function simulate(words: readonly string[]): Promise<number> {
  const wish = parse(words);
  if (!wish) {
    console.log(HELP);
    return words.includes("--help") ? 0 : 2;
  }
  const failed: number[] = [];
  let preempted = 0;
  let running = wish.first;
  // An error that nobody catches ends a real process, and here the world that it came from.
  process.on("uncaughtException", (error) => {
    console.log(`seed ${running}: nobody caught ${error.stack}`);
    process.exit(1);
  });
  const begin = process.cpuUsage();
  for (let i = 0; i < wish.count; i++) {
    const seed = (wish.first + i) >>> 0;
    running = seed;
    const outcome = await runSeed(seed, wish.trouble);
    tell(outcome, wish);
    preempted += outcome.preempted;
    if (outcome.problems.length > 0) failed.push(seed);
  }
  const { user, system } = process.cpuUsage(begin);
  const each = Math.round((user + system) / 1000 / wish.count);
  const result = failed.length === 0 ? "all well" : `FAILED: ${failed.join(" ")}`;
  const told = `${each} ms each, ${preempted} Pods made way`;
  console.log(`${wish.count} seeds from ${wish.first}, ${told}: ${result}`);
  return failed.length === 0 ? 0 : 1;
}

function parse(words: readonly string[]): Wish | undefined {
  const after = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const one = after("--seed");
  const first = words.includes("--fresh")
    ? new SystemRandom().integer(2 ** 32)
    : Number(one ?? after("--from") ?? treeSeed());
  const count = one === undefined ? Number(after("--seeds") ?? SEEDS_DEFAULT) : 1;
  if (words.includes("--help") || !Number.isInteger(first) || !(count > 0)) return undefined;
  return {
    first,
    count,
    trouble: {
      isStorm: words.includes("--storm"),
      fault: after("--fault"),
      isCrowded: words.includes("--crowded"),
    },
    printsTrace: words.includes("--trace"),
    show: after("--show"),
  };
}

function tell(outcome: Outcome, { count, trouble, printsTrace, show }: Wish): void {
  const { seed, hash, problems, trace, changes, steps, faults, virtualMs } = outcome;
  if (printsTrace) console.log(trace.join("\n"));
  for (const { key, revision, object } of changes)
    if (key === show) console.log(`${revision} ${object ? JSON.stringify(object) : "deleted"}`);
  if (problems.length === 0 && count > 1) return;
  const minutes = (virtualMs / 60_000).toFixed(1);
  console.log(`seed ${seed}: ${steps} steps, ${faults} faults, ${minutes} min, hash ${hash}`);
  for (const problem of problems.slice(0, PROBLEMS_MAX)) console.log(`  ${problem}`);
  if (problems.length === 0) return;
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}/seed-${seed}.trace`;
  writeFileSync(file, [...problems, "", ...trace, ""].join("\n"));
  console.log(`  trace: ${file}; again: npm run sim -- --seed ${seed}${optionsOf(trouble)}`);
}

function optionsOf({ isStorm, fault, isCrowded = false }: Trouble): string {
  return `${isStorm ? " --storm" : ""}${isCrowded ? " --crowded" : ""}${fault === undefined ? "" : ` --fault "${fault}"`}`;
}
