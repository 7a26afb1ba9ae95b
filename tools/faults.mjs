// Takes behaviour out of a copy of the sources and looks whether its test fails; see test/faults/README.md.
// `node tools/faults.mjs [--row ROW] [--file PATH] [--area AREA] [--again] [--one-by-one] [--batch N] [--control] [--list]`
// Without `--again`, only what was not seen yet. `--batch N`: the N-th run alone. `--control`: the test files without any fault.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import {
  BATCH_FAULTS_MAX,
  batchesOf,
  formatSeen,
  hashOf,
  readFaults,
  readSeen,
  rowsSeen,
  SEEN_FILE,
  seenKey,
  testHash,
  titlesOf,
  withEdits,
} from "./fault-table.mjs";
import { areaOf, readClaims, readTests } from "./feature-rows.mjs";

/** A run that takes longer is ended; its tests count as not seen. Five times what an unharmed file takes. */
const RUN_MS_MAX = 280_000;
/** What a copy consists of; `node_modules` is linked. */
const COPIED = ["src", "tools", "test", "bin", "package.json", "tsconfig.json"];
/** The batch's test file, built, in the copy. */
const TEST_BUNDLE = "build/fault.test.mjs";
/** What is known between runs: tests that passed without a fault, and rows whose test was not seen to pass yet. */
const STATE_FILE = "build/faults.json";
/** Failures that only follow from others. */
const QUIET = new Set(["subtestsFailed", "cancelledByParent"]);
/** Characters of what a test said that are kept: enough to see that it failed for the right reason. */
const SAID_MAX = 160;

const OPTIONS = {
  row: { type: "string" },
  file: { type: "string" },
  area: { type: "string" },
  batch: { type: "string" },
  again: { type: "boolean" },
  "one-by-one": { type: "boolean" },
  control: { type: "boolean" },
  list: { type: "boolean" },
};

function run(command, args, options) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    ...options,
  });
  if (error && error.code !== "ETIMEDOUT") throw error;
  return { status, stdout, stderr };
}

function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), "skiff-faults-"));
  for (const part of COPIED) cpSync(part, join(copy, part), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  return copy;
}

/** Writes the batch's faults into the copy and builds it; `pristine` gets what was there. @returns false: it cannot be built */
async function buildWith(copy, testFile, batch, pristine) {
  const edits = batch.flatMap((entry) => entry.edits);
  for (const source of sourcesOf(batch)) {
    const own = edits.filter((edit) => edit.source === source);
    const text = readFileSync(join(copy, source), "utf8");
    pristine.set(source, text);
    writeFileSync(join(copy, source), withEdits(text, own));
  }
  const { status, stdout, stderr } = run(process.execPath, ["tools/build.mjs"], { cwd: copy });
  if (status !== 0) {
    console.error(`the build fails:\n${stdout}${stderr}`);
    return false;
  }
  await build({
    absWorkingDir: copy,
    entryPoints: [testFile],
    outfile: TEST_BUNDLE,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
  return true;
}

function restore(copy, batch, pristine) {
  for (const source of sourcesOf(batch)) writeFileSync(join(copy, source), pristine.get(source));
}

function sourcesOf(batch) {
  return new Set(batch.flatMap(({ edits }) => edits.map(({ source }) => source)));
}

/** Runs the built test file. @returns what each test did, by title */
function runTests(copy) {
  const words = [
    ...["--enable-source-maps", "--test", "--test-reporter=./tools/results-reporter.mjs"],
    ...["--test-reporter-destination=stdout", TEST_BUNDLE],
  ];
  const { stdout } = run(process.execPath, words, {
    cwd: copy,
    timeout: RUN_MS_MAX,
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 26,
  });
  const records = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  return new Map(records.map((record) => [record.title, record]));
}

/** What one fault did to its tests: `seen`, `passed`, or `unclear` when a test did not come to its end. */
function judge({ titles }, results) {
  const own = titles.map((title) => results.get(title));
  if (own.some((result) => result?.hasPassed)) return { verdict: "passed", said: "" };
  const isClear =
    own.length > 0 && own.every((result) => result && result.kind === "testCodeFailure");
  const said = clean(own.find((result) => result)?.message ?? "it did not run");
  return { verdict: isClear ? "seen" : "unclear", said };
}

/** One line, without what differs from run to run. */
function clean(message) {
  return message
    .replaceAll(/\x1b\[[\d;]*m/g, "")
    .replaceAll(/\/tmp\/skiff-e2e\/[^/\s]+/g, "HOME")
    .replaceAll(/e2e-\d+/g, "e2e-N")
    .replaceAll(/\s+/g, " ")
    .slice(0, SAID_MAX)
    .trim();
}

/** Builds and runs `testFile` with the faults of a batch; an empty batch shows that its tests pass without any. */
async function runBatch(copy, testFile, batch, hashes) {
  console.log(`\n${testFile}: ${batch.length} faults`);
  const pristine = new Map();
  const isBuilt = await buildWith(copy, testFile, batch, pristine);
  const results = isBuilt ? runTests(copy) : new Map();
  restore(copy, batch, pristine);
  const expected = new Set(batch.flatMap(({ titles, disturbed }) => [...titles, ...disturbed]));
  const verdicts = batch.map((entry) => ({ entry, ...judge(entry, results) }));
  const faulted = new Set(batch.flatMap(({ titles }) => titles));
  const passed = [...results.values()]
    .filter(({ hasPassed, title }) => hasPassed && !faulted.has(title) && hashes.has(title))
    .map(({ title }) => hashes.get(title));
  for (const { entry, verdict, said } of verdicts)
    console.log(
      `  ${verdict.padEnd(8)} ${entry.fault.rows.join(" ")}  ${entry.fault.what}: ${said}`,
    );
  for (const { title, hasPassed, kind, message } of results.values())
    if (!hasPassed && !QUIET.has(kind) && !expected.has(title))
      console.log(`  disturbed ${title}: ${clean(message)}`);
  return { passed, seen: verdicts.filter(({ verdict }) => verdict === "seen") };
}

/**
 * Adds what was seen, and drops what no fault says any more. What was seen counts when each of its tests has passed in a run
 * that left it alone; until then it waits in the build folder.
 */
function record({ passed, seen }, claims) {
  const state = existsSync(STATE_FILE)
    ? JSON.parse(readFileSync(STATE_FILE, "utf8"))
    : { passed: [], waiting: [] };
  const passing = new Set([...state.passed, ...passed]);
  const fresh = seen.flatMap(({ entry: { fault, hash, titles }, said }) =>
    fault.rows.map((row) => {
      const tests = titles.map((title) => testHash(fault.testFile, title));
      return { row, file: fault.testFile, hash, said, tests };
    }),
  );
  const known = readSeen();
  const waiting = [];
  for (const { tests, ...line } of [...state.waiting, ...fresh]) {
    if (!tests.every((test) => passing.has(test))) waiting.push({ tests, ...line });
    else known.set(seenKey(line.row, line.file, line.hash), line);
  }
  const standing = new Set(
    readFaults().flatMap((fault) =>
      fault.rows.map((row) => seenKey(row, fault.testFile, hashOf(fault, claims))),
    ),
  );
  const kept = [...known].filter(([key]) => standing.has(key)).map(([, value]) => value);
  writeFileSync(SEEN_FILE, formatSeen(kept));
  const left = waiting.filter(({ row, file, hash }) => standing.has(seenKey(row, file, hash)));
  mkdirSync("build", { recursive: true });
  writeFileSync(STATE_FILE, JSON.stringify({ passed: [...passing], waiting: left }));
  if (left.length > 0)
    console.log(`  waiting for a run without their fault: ${left.map(({ row }) => row).join(" ")}`);
}

function chosen(values, claims) {
  const seen = values.again ? new Map() : readSeen();
  const isNew = (fault) => {
    const hash = hashOf(fault, claims);
    return fault.rows.some((row) => !seen.has(seenKey(row, fault.testFile, hash)));
  };
  return readFaults().filter(
    (fault) =>
      (!values.row || fault.rows.includes(values.row)) &&
      (!values.area || fault.rows.some((row) => areaOf(row) === values.area)) &&
      (!values.file || fault.testFile.includes(values.file)) &&
      isNew(fault),
  );
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  const claims = readClaims();
  const faults = chosen(values, claims);
  const all = batchesOf(faults, claims, values["one-by-one"] ? 1 : BATCH_FAULTS_MAX);
  const at = Number(values.batch ?? 0);
  const batches = at > 0 ? all.slice(at - 1, at) : all;
  console.log(`${faults.length} faults in ${all.length} runs`);
  if (values.list)
    for (const batch of batches)
      console.log(
        batch.map(({ fault }) => `${fault.rows.join(" ")}: ${fault.what}`).join("\n"),
        "\n",
      );
  if (values.list) return;
  const files = new Set(batches.map(([{ fault }]) => fault.testFile));
  const runs = values.control
    ? [...files].map((testFile) => ({ testFile, batch: [] }))
    : batches.map((batch) => ({ testFile: batch[0].fault.testFile, batch }));
  const copy = makeCopy();
  let seenCount = 0;
  try {
    for (const { testFile, batch } of runs) {
      const hashes = new Map(
        readTests()
          .filter(({ file }) => file === testFile)
          .map(({ title }) => [title, testHash(testFile, title)]),
      );
      const outcome = await runBatch(copy, testFile, batch, hashes);
      seenCount += outcome.seen.length;
      record(outcome, claims);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  console.log(`\nrows seen to fail: ${rowsSeen().size}`);
  const triedCount = runs.reduce((sum, { batch }) => sum + batch.length, 0);
  process.exitCode = seenCount === triedCount ? 0 : 1;
}

await main();
