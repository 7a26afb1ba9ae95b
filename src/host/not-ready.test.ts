import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { endOf, lastWords } from "./not-ready.ts";

describe("lastWords", () => {
  for (const [what, log, expected] of [
    ["a process that ended", "2026 info ready\nskiff: no space left\n", "no space left"],
    ["a process that ended at once", "skiff: no space left\n", "no space left"],
    ["one that runs again", "skiff: no space left\n2026 info ready\n", undefined],
    ["one that was killed", "2026 info ready\n", undefined],
    ["one that said nothing", "", undefined],
  ] as const)
    it(what, () => assert.equal(lastWords(log), expected));
});

describe("endOf", () => {
  it("reads the last lines of a log that no string could hold; one that cannot be read has none", () => {
    const folder = mkdtempSync(join(tmpdir(), "skiff-log-"));
    const log = join(folder, "server.log");
    try {
      writeFileSync(log, "");
      truncateSync(log, 2 ** 29);
      appendFileSync(log, "\nskiff: no space left\n");
      assert.equal(endOf(log), "skiff: no space left\n");
      assert.equal(endOf(folder), "");
      assert.equal(endOf(join(folder, "missing.log")), "");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
