// The faults of test/faults: what each one takes out of the sources, which rows of the check list go with it, and whether their
// test was seen to fail. The form of a table is described in test/faults/README.md.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { globSync } from "./glob.mjs";
import { readClaims, readTests } from "./feature-rows.mjs";

const FOLDER = "test/faults";
const SEEN_FILE = `${FOLDER}/seen.tsv`;
const SEEN_HEADER = "row\ttest file\thash\twhat the test said";
/** Faults of one run. Each may make its test wait for its longest time: a run of more would take too long. */
export const BATCH_FAULTS_MAX = 13;
/** Hexadecimal digits of a fault's hash: enough to tell a thousand faults apart. */
const HASH_DIGITS = 12;

/** Every fault of every table, in their order. @throws {Error} a line that no table has */
export function readFaults() {
  return globSync([FOLDER], ".txt").flatMap((table) =>
    parseFaults(readFileSync(table, "utf8"), table),
  );
}

/** The faults of one table's text. @throws {Error} naming the line that is wrong */
export function parseFaults(text, table) {
  const testFile = `test/e2e/${basename(table, ".txt")}.test.ts`;
  const faults = [];
  for (const [index, line] of text.split("\n").entries()) {
    const place = `${table}:${index + 1}`;
    const heading = /^== ((?:[A-Z]{2,3}-\d{2} )+|"[^"]+" ) ?(\S.*)$/.exec(line);
    const fault = faults.at(-1);
    const edit = fault?.edits.at(-1);
    if (heading) {
      const named = heading[1].trim();
      const rows = isTitle(named) ? [named] : named.split(" ");
      const what = heading[2];
      faults.push({ rows, what, table, testFile, place, isAlone: false, disturbs: [], edits: [] });
    } else if (line === "" || line.startsWith("#")) continue;
    else if (!fault) throw new Error(`${place}: expected a heading, "== ROW … what is wrong"`);
    else if (line === "! alone") fault.isAlone = true;
    else if (line.startsWith("! disturbs ")) fault.disturbs = line.split(" ").slice(2);
    else if (/^[-+]( |$)/.test(line)) takeLine(fault, edit, line, place);
    else if (/^src\/\S+$/.test(line)) fault.edits.push(newEdit(line));
    else throw new Error(`${place}: expected a path of src, "- original" or "+ replacement"`);
  }
  const empty = faults.find(({ edits }) => edits.length === 0 || edits.some((e) => !e.original));
  if (empty) throw new Error(`${empty.place}: takes nothing out`);
  return faults;
}

/** In place of rows: how the title of a test begins that claims none. */
function isTitle(row) {
  return row.startsWith('"');
}

function newEdit(source) {
  return { source, original: undefined, replacement: undefined };
}

/** A "-" after a "+" begins the next edit of the same source. */
function takeLine(fault, edit, line, place) {
  if (!edit) throw new Error(`${place}: expected the path of a source first`);
  const text = line.slice(2);
  const isOriginal = line.startsWith("-");
  if (isOriginal && edit.replacement !== undefined) {
    edit = newEdit(edit.source);
    fault.edits.push(edit);
  }
  const side = isOriginal ? "original" : "replacement";
  edit[side] = edit[side] === undefined ? text : `${edit[side]}\n${text}`;
}

/**
 * Where each edit's original text stands. How far its lines are indented does not matter.
 * @throws {Error} a source is missing, or has the text not at all or more than once: the fault does not apply
 */
export function locateEdits(fault, readSource = (path) => readFileSync(path, "utf8")) {
  return fault.edits.map(({ source, original, replacement }) => {
    const found = [...textOf(source, readSource).matchAll(patternOf(original))];
    if (found.length !== 1) {
      const times = found.length === 0 ? "not at all" : "more than once";
      throw new Error(`${fault.place}: ${source} has ${JSON.stringify(original)} ${times}`);
    }
    const [{ index: start, 0: text }] = found;
    return { source, start, end: start + text.length, replacement: replacement ?? "" };
  });
}

/** A source that is not there has nothing. */
function textOf(source, readSource) {
  try {
    return readSource(source);
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

function patternOf(original) {
  const lines = original.split("\n").map((line) => line.trimStart());
  const escaped = lines.map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(escaped.join("\\n *"), "g");
}

/** A source's text with edits of it made. They must not overlap. */
export function withEdits(text, edits) {
  const ordered = [...edits].sort((a, b) => b.start - a.start);
  return ordered.reduce(
    (result, { start, end, replacement }) =>
      result.slice(0, start) + replacement + result.slice(end),
    text,
  );
}

/** The titles of the tests that must fail with a fault: those of its file that claim its rows, or the rows given. */
export function titlesOf(fault, claims = readClaims(), rows = fault.rows) {
  const beginnings = rows.filter(isTitle).map((row) => row.slice(1, -1));
  const tests = beginnings.length > 0 ? readTests() : claims;
  return tests
    .filter(({ file }) => file === fault.testFile)
    .filter(
      ({ ids, title }) =>
        ids.some((id) => rows.includes(id)) || beginnings.some((begin) => title.startsWith(begin)),
    )
    .map(({ title }) => title);
}

/** A test's call of `it`, as it is written. Empty when the file has no such test. */
export function testSource(fileText, title) {
  const lines = fileText.split("\n");
  const at = lines.findIndex((line) => line.includes(title));
  if (at < 0) return "";
  const begin = lines.slice(0, at + 1).findLastIndex((line) => /^ *(it|test)\(/.test(line));
  const indent = /^ */.exec(lines[begin] ?? "")[0];
  const length = lines.slice(begin).findIndex((line) => line.startsWith(`${indent}})`)) + 1;
  return lines.slice(begin, begin + length).join("\n");
}

/** Of one test as it is written. */
export function testHash(testFile, title) {
  const source = testSource(readFileSync(testFile, "utf8"), title);
  return digest(createHash("sha256").update(`${testFile}\0${source}`));
}

/** Changes when the fault or a test that must notice it changes. */
export function hashOf(fault, claims = readClaims()) {
  const fileText = existsSync(fault.testFile) ? readFileSync(fault.testFile, "utf8") : "";
  const hash = createHash("sha256").update(JSON.stringify([fault.rows, fault.edits]));
  for (const title of titlesOf(fault, claims))
    hash.update("\0").update(testSource(fileText, title));
  return digest(hash);
}

function digest(hash) {
  return hash.digest("hex").slice(0, HASH_DIGITS);
}

/** What was seen, by "row file hash". */
export function readSeen() {
  if (!existsSync(SEEN_FILE)) return new Map();
  const [, ...lines] = readFileSync(SEEN_FILE, "utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const [row, file, hash, said] = line.split("\t");
      return [seenKey(row, file, hash), { row, file, hash, said }];
    }),
  );
}

/** The text of `seen.tsv`, in order of rows. */
export function formatSeen(records) {
  const lines = records.map(({ row, file, hash, said }) => [row, file, hash, said].join("\t"));
  return `${[SEEN_HEADER, ...lines.sort()].join("\n")}\n`;
}

/** Joins faults that do not meet: neither in a test nor in a line of a source. */
export function batchesOf(faults, claims, sizeMax = BATCH_FAULTS_MAX) {
  const batches = [];
  for (const fault of faults) {
    const hash = hashOf(fault, claims);
    const entry = {
      fault,
      hash,
      titles: titlesOf(fault, claims),
      disturbed: titlesOf(fault, claims, fault.disturbs),
      edits: locateEdits(fault),
    };
    const batch = batches.find(
      (open) =>
        open.length < sizeMax &&
        !fault.isAlone &&
        open.every((other) => !other.fault.isAlone && !meet(entry, other)),
    );
    if (batch) batch.push(entry);
    else batches.push([entry]);
  }
  return batches;
}

function meet(one, other) {
  return (
    one.fault.testFile !== other.fault.testFile ||
    one.titles.some((title) => other.titles.includes(title) || other.disturbed.includes(title)) ||
    other.titles.some((title) => one.disturbed.includes(title)) ||
    one.edits.some((a) =>
      other.edits.some((b) => a.source === b.source && a.start < b.end && b.start < a.end),
    )
  );
}

/** Where `seen.tsv` is. */
export { SEEN_FILE };

/** The key of one row's record. */
export function seenKey(row, file, hash) {
  return `${row} ${file} ${hash}`;
}

/** Rows that a fault which still stands, and a test which is still the same, were seen to go together. */
export function rowsSeen(faults = readFaults(), seen = readSeen()) {
  const claims = readClaims();
  const rows = faults.flatMap((fault) => {
    const hash = hashOf(fault, claims);
    return fault.rows.filter((row) => seen.has(seenKey(row, fault.testFile, hash)));
  });
  return new Set(rows.filter((row) => !isTitle(row)));
}
