import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Store } from "../store.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";

const ROUNDS = 4;
/** Acknowledged commits before the kill; odd, so that it hits groups at different places. */
const COMMITS_PER_ROUND = 331;
const IN_FLIGHT = 16;

function open(folder: string): Promise<Store> {
  return openLmdbStore({ folder, isVolatile: (key) => key.startsWith("/volatile/") });
}

/** The child: commits until it is killed, and prints what was acknowledged. */
async function writeForever(folder: string, round: string): Promise<void> {
  const store = await open(folder);
  let count = 0;
  const writer = async (): Promise<void> => {
    for (;;) {
      const i = count++;
      const key = `${i % 4 === 0 ? "/volatile" : ""}/${round}/${i}`;
      const value = Buffer.alloc(i % 7 === 0 ? 9000 : 500, String(i));
      const { revision } = await store.commit([{ kind: "put", key, value, expect: 0 }]);
      process.stdout.write(`${revision} ${key} ${i}\n`);
      if (i % 100 === 99) void store.compact(store.revision());
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
}

/** @returns the lines of the commits that were acknowledged before the child was killed. */
async function runAndKill(folder: string, round: number): Promise<readonly string[]> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), "write-forever", folder, String(round)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === COMMITS_PER_ROUND) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  return lines.filter((line) => /^\d+ \S+ \d+$/.test(line));
}

if (process.argv[2] === "write-forever") await writeForever(process.argv[3]!, process.argv[4]!);
else
  describe("lmdb store and kill -9", () => {
    it("loses nothing acknowledged, and issues no revision twice", async () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-crash-"));
      const acknowledged: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        acknowledged.push(...(await runAndKill(folder, round)));
        const store = await open(folder);
        const revisions = acknowledged.map((line) => Number(line.split(" ")[0]));
        assert.equal(new Set(revisions).size, revisions.length);
        assert.ok(store.revision() >= Math.max(...revisions));
        const { records } = await store.range({ from: "/", to: "0" });
        const found = new Map(records.map((record) => [record.key, record]));
        for (const line of acknowledged) {
          const [revision, key, i] = line.split(" ");
          const record = found.get(key!);
          assert.equal(record?.modRevision, Number(revision), `${line} is missing`);
          assert.ok(record.value.toString().startsWith(i!));
        }
        // Half of the rounds go on after an unclean end that was followed by a clean one.
        if (round % 2 === 0) await store.commit([{ kind: "delete", key: "/none" }]);
        await store.close();
      }
      assert.ok(acknowledged.length >= ROUNDS * COMMITS_PER_ROUND);
      rmSync(folder, { recursive: true });
    });
  });
