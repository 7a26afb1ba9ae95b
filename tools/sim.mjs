// Simulated clusters: `npm run sim -- [--seed N | --seeds COUNT] [--fresh] [--trace]`. Builds, then runs
// test/sim/seeds.test.ts as a program.
import { spawnSync } from "node:child_process";

/** Worlds are short-lived: a large nursery keeps them out of the old generation. */
const FLAGS = ["--enable-source-maps", "--max-semi-space-size=64"];
const PROGRAM = "build/tests/test/sim/seeds.test.mjs";

function run(args) {
  const { status, error } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run(["tools/build.mjs", "--tests"]);
run([...FLAGS, PROGRAM, "sim", ...process.argv.slice(2)]);
