// Runs tests: `node tools/test.mjs [PATH-PART …] [--no-check]`. Without arguments, everything that must pass.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { globSync } from "./glob.mjs";

/** Tests that start clusters or containers: one at a time, after the others, so that they do not disturb each other. */
const ALONE = ["test/e2e/", "test/conformance/"];

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const isPartial = wanted.length > 0;

/** A test that takes longer, in ms, hangs. The longest takes about 30 s. */
const FILE_MS_MAX = 180_000;

/** More files than these do not fail by chance. */
const UNSTEADY_MAX = 3;

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
/** A failure names the source (by its source map) or the built file. */
const isSameTest = (path, file) =>
  relative(process.cwd(), path)
    .replace(/^build\/tests\//, "")
    .replace(/\.test\.(ts|mjs)$/, "") ===
  file.replace(/^build\/tests\//, "").replace(/\.test\.mjs$/, "");
const isAlone = (file) => ALONE.some((folder) => file.startsWith(`build/tests/${folder}`));

/** Runs test files. @returns those of which a test failed; undefined: the run itself did. */
function failedOf(files, concurrency) {
  if (files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), "skiff-test-"));
  const list = join(folder, "failed");
  const { status, error } = spawnSync(
    node,
    [
      "--enable-source-maps",
      "--test",
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${FILE_MS_MAX}`,
      "--test-reporter=./tools/failures-reporter.mjs",
      "--test-reporter-destination=stdout",
      ...files,
    ],
    { stdio: "inherit", env: { ...process.env, FAILED_FILES: list } },
  );
  if (error) throw error;
  const failed = existsSync(list) ? readFileSync(list, "utf8").split("\n").filter(Boolean) : [];
  rmSync(folder, { recursive: true });
  if (status === 0) return [];
  return failed.length > 0 ? failed : undefined;
}

if (
  failedOf(
    all.filter((file) => !isAlone(file)),
    2,
  )?.length !== 0
)
  process.exit(1);

// What runs real containers meets the machine as it is: a disk that stalls, a neighbour that takes the processors. A file that
// fails is run once more; what passes then is named, so that nobody takes it for steady.
const failed = failedOf(all.filter(isAlone), 1);
if (failed?.length === 0) process.exit(0);
if (failed === undefined || isPartial || failed.length > UNSTEADY_MAX) process.exit(1);
const again = all.filter((file) => failed.some((path) => isSameTest(path, file)));
console.log(`\nonce more: ${again.join(" ")}`);
if (again.length === 0 || failedOf(again, 1)?.length !== 0) process.exit(1);
console.log(`\nUNSTEADY (failed, then passed): ${again.join(" ")}`);
