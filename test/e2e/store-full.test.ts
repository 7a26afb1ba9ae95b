import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { VirtualClock } from "../../src/base/virtual-clock.ts";
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

/** The child: its disk, large enough for the write-ahead log, is filled by others while commits lie in the log alone. */
async function fillLogged(folder: string, disk: string): Promise<void> {
  const resize = (size: string): unknown =>
    execFileSync("mount", ["-o", `remount,size=${size}`, disk]);
  const clock = new VirtualClock();
  const store = await openLmdbStore({ folder, clock });
  const put = (key: string): Promise<CommitResult> =>
    store.commit([{ kind: "put", key, value: Buffer.alloc(2000) }]);
  for (let i = 0; i < 100; i++) await put(`/a${i}`);
  const lmdbBytes = statSync(`${folder}/durable.mdb`).size;
  resize("2m");
  await clock.advance(60_000);
  const refusals: string[] = [];
  // The first may still find the way to LMDB under way.
  for (let i = 0; i < 3; i++) await put(`/b${i}`).catch(({ name }: Error) => refusals.push(name));
  const { records, revision } = await store.range({ from: "/a", to: "/b" });
  resize("160m");
  const after = await put("/after");
  await store.close();
  const again = await openLmdbStore({ folder, clock });
  const kept = (await again.range({ from: "/a", to: "/b" })).records.length;
  await again.close();
  const isInLogAlone = lmdbBytes < 200_000;
  const step = after.revision - revision;
  console.log(JSON.stringify({ isInLogAlone, refusals, records: records.length, step, kept }));
}

/** What the child prints, run on a disk of `size`. */
function onDisk(size: string, child: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), "skiff-full-"));
  const script = `mount -t tmpfs -o size=${size} tmpfs "$1" && exec "$2" "$3" ${child} "$1/store" "$1"`;
  const { stdout, stderr } = spawnSync(
    "unshare",
    ["--mount", "sh", "-c", script, "sh", folder, process.execPath, fileURLToPath(import.meta.url)],
    { encoding: "utf8" },
  );
  rmSync(folder, { recursive: true });
  const last = stdout.trim().split("\n").at(-1)!;
  assert.ok(last.startsWith("{"), stderr);
  return JSON.parse(last);
}

if (process.argv[2] === "fill") await fill(process.argv[3]!);
else if (process.argv[2] === "fill-logged") await fillLogged(process.argv[3]!, process.argv[4]!);
else
  describe("lmdb store on a full disk", () => {
    it("refuses commits, keeps reading, and writes again when compaction made room", () => {
      assert.deepEqual(onDisk("6m", "fill"), {
        refusals: ["StoreFull", "StoreFull", "StoreFull", "StoreFull"],
        records: 100,
        step: 1,
        isKept: true,
      });
    });

    it("keeps what is in the log alone, refuses more, and goes on when there is space", () => {
      assert.deepEqual(onDisk("160m", "fill-logged"), {
        isInLogAlone: true,
        refusals: ["StoreFull", "StoreFull", "StoreFull"],
        records: 100,
        step: 1,
        kept: 101,
      });
    });
  });
