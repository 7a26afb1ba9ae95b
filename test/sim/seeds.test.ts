// Whole clusters from seeds. `npm run sim` runs this file as a program, with as many as one likes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { simulate } from "./simulate.ts";

/** About 20 s of one core. */
const SEEDS = 60;

const [command, ...words] = process.argv.slice(2);
if (command === "sim") process.exitCode = await simulate(words);
else
  describe("simulated clusters", () => {
    it("keep every promise, for seeds that the sources' hash gives", () => {
      // Not in this process: the test runner's hooks on every promise would take half of the time.
      const self = fileURLToPath(import.meta.url);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--enable-source-maps", self, "sim", "--seeds", String(SEEDS)],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      // Of a dozen worlds whose nodes are full: else nothing of it would be judged.
      assert.match(stdout, /, [1-9]\d* Pods made way: all well/);
    });
  });
