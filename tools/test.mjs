// Runs tests: `node tools/test.mjs [PATH-PART …] [--no-check]`. Without arguments, everything that must pass.
import { spawnSync } from "node:child_process";
import { globSync } from "./glob.mjs";

/** Tests that start clusters or containers: one at a time, after the others, so that they do not disturb each other. */
const ALONE = ["test/e2e/", "test/conformance/"];

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const isPartial = wanted.length > 0;

/** A test that takes longer, in ms, hangs. The longest takes about 30 s. */
const FILE_MS_MAX = 180_000;

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const node = process.execPath;
run(node, ["tools/build.mjs", "--tests"]);
if (!process.argv.includes("--no-check")) {
  run(node, ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."]);
  if (!isPartial)
    run(node, ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."]);
}
const all = globSync(["build/tests"], ".test.mjs").filter(
  (file) => !isPartial || wanted.some((part) => file.includes(part)),
);
if (all.length === 0) {
  console.error(`no test matches ${wanted.join(" ")}`);
  process.exit(2);
}
const isAlone = (file) => ALONE.some((folder) => file.startsWith(`build/tests/${folder}`));
const runTests = (files, concurrency) => {
  if (files.length === 0) return;
  run(node, [
    "--enable-source-maps",
    "--test",
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${FILE_MS_MAX}`,
    "--test-reporter=./tools/failures-reporter.mjs",
    "--test-reporter-destination=stdout",
    ...files,
  ]);
};
runTests(
  all.filter((file) => !isAlone(file)),
  2,
);
runTests(all.filter(isAlone), 1);
