import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lastWords } from "./not-ready.ts";

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
