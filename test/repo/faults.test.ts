import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readClaims } from "../../tools/feature-rows.mjs";
import {
  batchesOf,
  locateEdits,
  parseFaults,
  readFaults,
  readSeen,
  testSource,
  titlesOf,
  withEdits,
} from "../../tools/fault-table.mjs";

describe("test/faults", () => {
  const faults = readFaults();
  const claims = readClaims();

  it("has faults that apply: their original text stands in its source exactly once", () => {
    for (const fault of faults) locateEdits(fault);
  });

  it("has faults of rows that tests of the same file claim", () => {
    const lost = faults.flatMap((fault) =>
      [...fault.rows, ...fault.disturbs]
        .filter((row) => titlesOf(fault, claims, [row]).length === 0)
        .map((row) => `${fault.place}: ${row}`),
    );
    assert.deepEqual(lost, []);
  });

  it("records what tests said, a line for each", () => {
    for (const { row, file, hash, said } of readSeen().values())
      assert.ok(
        /^([A-Z]{2,3}-\d{2}|".+")$/.test(row) && file && /^[0-9a-f]{12}$/.test(hash) && said,
        row,
      );
  });
});

describe("tables of faults", () => {
  const TEXT = [
    "# about the file",
    "",
    "== KC-01 KC-02  what is wrong",
    "! disturbs KC-09",
    "src/a.ts",
    "- one",
    "-   two",
    "+ other",
    "- three",
    "src/b.ts",
    "- four",
    "+",
    "",
    "== KC-03  alone",
    "! alone",
    "src/a.ts",
    "- five",
    "+ 5",
  ].join("\n");

  it("are read line by line", () => {
    const [first, second] = parseFaults(TEXT, "test/faults/x.txt");
    assert.deepEqual(first!.rows, ["KC-01", "KC-02"]);
    assert.equal(first!.what, "what is wrong");
    assert.equal(first!.testFile, "test/e2e/x.test.ts");
    assert.deepEqual(first!.disturbs, ["KC-09"]);
    assert.deepEqual(first!.edits, [
      { source: "src/a.ts", original: "one\n  two", replacement: "other" },
      { source: "src/a.ts", original: "three", replacement: undefined },
      { source: "src/b.ts", original: "four", replacement: "" },
    ]);
    assert.equal(second!.isAlone, true);
  });

  for (const [text, message] of [
    ["src/a.ts", /x\.txt:1: expected a heading/],
    ["== KC-01  x\nnonsense", /x\.txt:2: expected a path/],
    ["== KC-01  x\n- a", /x\.txt:2: expected the path/],
    ["== KC-01  x", /x\.txt:1: takes nothing out/],
  ] as const)
    it(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parseFaults(text, "x.txt"), message));

  it("apply where the text stands once, and only then", () => {
    const [fault] = parseFaults("== KC-01  x\nsrc/a.ts\n- b\n+ B\n- d\n+ dd", "test/faults/x.txt");
    const edits = locateEdits(fault!, () => "a b c d");
    assert.equal(withEdits("a b c d", edits), "a B c dd");
    const [lines] = parseFaults("== KC-01  x\nsrc/a.ts\n- b {\n- c", "test/faults/x.txt");
    assert.equal(
      withEdits(
        "  b {\n    c\n",
        locateEdits(lines!, () => "  b {\n    c\n"),
      ),
      "  \n",
    );
    assert.throws(() => locateEdits(fault!, () => "a c d"), /has "b" not at all/);
    assert.throws(() => locateEdits(fault!, () => "b b d"), /has "b" more than once/);
  });

  it("may be of a test that claims no row, named by how its title begins", () => {
    const text = '== "a gated Pod"  what is wrong\nsrc/a.ts\n- one';
    const [fault] = parseFaults(text, "test/faults/scheduling.txt");
    assert.equal(fault!.what, "what is wrong");
    const [title, ...others] = titlesOf(fault!);
    assert.match(title!, /^a gated Pod waits/);
    assert.deepEqual(others, []);
  });

  it("find the source of a test by its title", () => {
    const file =
      '  it("KC-01 a", () => {\n    f();\n  });\n\n  it("KC-02 b", () => {\n    g();\n  });\n';
    assert.equal(testSource(file, "KC-02 b"), '  it("KC-02 b", () => {\n    g();\n  });');
    assert.equal(testSource(file, "KC-03 c"), "");
  });

  it("are run together where they meet neither in a test nor in a line", () => {
    const fault = (row: string, original: string, directive = ""): string =>
      `== ${row}  x\n${directive}src/base/clock.ts\n- ${original}\n+ z\n`;
    const text = [
      fault("KC-01", "export interface Clock {"),
      fault("KC-02", "interface Clock {"),
      fault("KC-03", "export interface Timer {", "! disturbs KC-04\n"),
      fault("KC-04", "export function sleep("),
      fault("KC-05", "export interface Timer {", "! alone\n"),
    ].join("");
    const titled = ["KC-01", "KC-02", "KC-03", "KC-04", "KC-05"].map((id) => ({
      file: "test/e2e/x.test.ts",
      title: id,
      ids: [id],
    }));
    const batches = batchesOf(parseFaults(text, "test/faults/x.txt"), titled);
    assert.deepEqual(
      batches.map((batch) => batch.map((entry) => entry.fault.rows.join())),
      [["KC-01", "KC-03"], ["KC-02", "KC-04"], ["KC-05"]],
    );
  });
});
