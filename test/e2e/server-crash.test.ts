// kill -9 of a server under load. `npm run crash -- [--rounds 200] [--seed N]` does more of it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SystemClock } from "../../src/base/system-clock.ts";
import { CrashRounds, type CrashReport } from "../support/crash/crash-rounds.ts";
import { ServerProcess } from "../support/crash/server-process.ts";
import { treeSeed } from "../support/tree-seed.ts";

/** The 8th also kills during the start, the 10th ends orderly. */
const ROUNDS = 10;

async function crash(
  rounds: number,
  seed: number,
  tell: (text: string) => void,
): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-crash-"));
  const clock = new SystemClock();
  const server = await ServerProcess.at(folder, clock, ["--no-scheduler"]);
  try {
    const report = await new CrashRounds(server, clock, seed).run(rounds, tell);
    rmSync(folder, { recursive: true });
    return report;
  } catch (error) {
    throw new Error(`seed ${seed}, state kept in ${folder}: ${(error as Error).stack}`, {
      cause: error,
    });
  } finally {
    await server.end("SIGKILL");
  }
}

const [command, ...words] = process.argv.slice(2);
if (command === "crash") {
  const number = (flag: string, otherwise: number): number =>
    words.includes(flag) ? Number(words[words.indexOf(flag) + 1]) : otherwise;
  const seed = number("--seed", treeSeed());
  const report = await crash(number("--rounds", 200), seed, (text) => console.log(text));
  console.log(JSON.stringify({ seed, ...report }));
} else
  describe("skiff server killed under load", () => {
    it("has every acknowledged write, and told every watcher a gapless story", async () => {
      const report = await crash(ROUNDS, treeSeed(), () => {});
      assert.equal(report.kills + report.cleanEnds, ROUNDS);
      // Who watched before an orderly end goes on after it; a start that is killed may have been asked already.
      assert.ok(
        report.relists <= report.watchers * (1 + report.uncleanStarts + report.killsDuringStart),
        JSON.stringify(report),
      );
      assert.ok(report.acknowledged > 0 && report.increments > 0 && report.watchEvents > 0);
    });
  });
