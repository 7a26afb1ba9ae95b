import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openLmdbStore } from "../../src/store/lmdb/open-lmdb-store.ts";
import type { CommitResult } from "../../src/store/store.ts";

/** The child, on a disk of 6 MB: fills it, compacts, writes again. */
async function fill(folder: string): Promise<void> {
  const store = await openLmdbStore({ folder });
  const put = (key: string): Promise<CommitResult> =>
    store.commit([{ kind: "put", key, value: Buffer.alloc(2000) }]);
  const refusals: string[] = [];
  for (let i = 0; i < 5000 && refusals.length < 4; i++) {
    const results = await Promise.allSettled([put(`/a${i % 50}`), put(`/b${i % 50}`)]);
    for (const result of results)
      if (result.status === "rejected") refusals.push((result.reason as Error).name);
  }
  const { records, revision } = await store.range({ from: "/", to: "0" });
  await store.compact(revision);
  const after = await put("/after");
  await store.close();
  const again = await openLmdbStore({ folder });
  const isKept = (await again.get("/after")) !== undefined;
  await again.close();
  console.log(
    JSON.stringify({ refusals, records: records.length, step: after.revision - revision, isKept }),
  );
}

if (process.argv[2] === "fill") await fill(process.argv[3]!);
else
  describe("lmdb store on a full disk", () => {
    it("refuses commits, keeps reading, and writes again when compaction made room", () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-full-"));
      const script = 'mount -t tmpfs -o size=6m tmpfs "$1" && exec "$2" "$3" fill "$1/store"';
      const file = fileURLToPath(import.meta.url);
      const { stdout, stderr } = spawnSync(
        "unshare",
        ["--mount", "sh", "-c", script, "sh", folder, process.execPath, file],
        { encoding: "utf8" },
      );
      rmSync(folder, { recursive: true });
      const last = stdout.trim().split("\n").at(-1)!;
      assert.ok(last.startsWith("{"), stderr);
      assert.deepEqual(JSON.parse(last), {
        refusals: ["StoreFull", "StoreFull", "StoreFull", "StoreFull"],
        records: 100,
        step: 1,
        isKept: true,
      });
    });
  });
