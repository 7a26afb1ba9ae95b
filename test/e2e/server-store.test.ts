// What a server does with a disk that fills up and with a damaged store: it says so, loses nothing, and goes on by itself.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { SystemClock } from "../../src/base/system-clock.ts";
import { LmdbBackend } from "../../src/store/lmdb/lmdb-backend.ts";
import type { Answer, ApiConnection, StatusBody } from "../support/crash/api-connection.ts";
import { listAll } from "../support/crash/resuming-watcher.ts";
import { ServerProcess } from "../support/crash/server-process.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const NO_LOAD = ["--no-scheduler", "--no-controllers"];
const DISK_MEGABYTES = 12;
/** Bytes of one object: the disk is full after some hundreds. */
const OBJECT_BYTES = 30_000;

/** What the child found; see `fillDisk`. */
interface Filled {
  readonly refusal: Answer<StatusBody>;
  readonly acknowledged: number;
  readonly found: number;
  readonly readStatus: number;
  readonly readyStatus: number;
  readonly afterSpace: number;
  readonly wasRestarted: boolean;
  readonly foundAfterRestart: number;
}

/** The child, in a mount namespace of its own: a server on a small disk is written to until it refuses. */
async function fillDisk(disk: string): Promise<Filled> {
  const size = (megabytes: number): string => `size=${megabytes}m`;
  execFileSync("mount", ["-t", "tmpfs", "-o", size(DISK_MEGABYTES), "tmpfs", disk]);
  const server = await ServerProcess.at(join(disk, "state"), new SystemClock(), NO_LOAD);
  server.spawn();
  await server.ready();
  const { pid } = server;
  const connection = server.connect();
  const put = (name: string): Promise<Answer<StatusBody>> =>
    connection.request("POST", CONFIG_MAPS, {
      metadata: { name, labels: { test: "full" } },
      data: { text: "x".repeat(OBJECT_BYTES) },
    });
  let acknowledged = 0;
  let refusal = await put(`a${acknowledged}`);
  for (; refusal.status === 201; refusal = await put(`a${acknowledged}`)) acknowledged++;
  // The rest of the disk, too: logs find no space either.
  writeFileSync(join(disk, "rest"), "");
  fillUp(join(disk, "rest"));
  const refusals = await Promise.all(["b", "c", "d"].map(put));
  assert.deepEqual(
    refusals.map(({ status }) => status),
    refusals.map(() => refusal.status),
  );
  const path = `${CONFIG_MAPS}?labelSelector=test`;
  const found = (await listAll(connection, path)).items.length;
  const { status: readStatus } = await connection.request("GET", `${CONFIG_MAPS}/a0`);
  const { status: readyStatus } = await connection.request("GET", "/readyz");
  execFileSync("mount", ["-o", `remount,${size(4 * DISK_MEGABYTES)}`, disk]);
  const { status: afterSpace } = await put("after");
  const wasRestarted = server.pid !== pid;
  connection.close();
  await server.end("SIGKILL");
  server.spawn();
  await server.ready();
  const again = server.connect();
  const foundAfterRestart = (await listAll(again, path)).items.length;
  again.close();
  await server.end("SIGTERM");
  return {
    refusal,
    acknowledged,
    found,
    readStatus,
    readyStatus,
    afterSpace,
    wasRestarted,
    foundAfterRestart,
  };
}

/** Writes until there is no space. */
function fillUp(file: string): void {
  const handle = openSync(file, "w");
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  } finally {
    closeSync(handle);
  }
}

if (process.argv[2] === "fill-disk") console.log(JSON.stringify(await fillDisk(process.argv[3]!)));
else {
  describe("skiff server on a full disk", () => {
    it("refuses writes with a Status, reads on, and writes again as soon as there is space", () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-disk-"));
      const self = fileURLToPath(import.meta.url);
      const words = ["--mount", process.execPath, "--enable-source-maps", self, "fill-disk"];
      const { stdout, stderr } = spawnSync("unshare", [...words, folder], { encoding: "utf8" });
      rmSync(folder, { recursive: true });
      const last = stdout.trim().split("\n").at(-1)!;
      assert.ok(last.startsWith("{"), stderr);
      const { refusal, acknowledged, ...rest } = JSON.parse(last) as Filled;
      assert.equal(refusal.status, 507);
      assert.match(refusal.body.message!, /the store is full: free disk space/);
      assert.ok(acknowledged > 50, String(acknowledged));
      assert.deepEqual(rest, {
        found: acknowledged,
        readStatus: 200,
        readyStatus: 200,
        afterSpace: 201,
        wasRestarted: false,
        foundAfterRestart: acknowledged + 1,
      });
    });
  });

  describe("skiff server with a damaged store", () => {
    const clock = new SystemClock();
    let server: ServerProcess;
    let store: string;
    let whole: ReadonlyMap<string, Buffer>;

    before(async () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-damage-"));
      server = await ServerProcess.at(folder, clock, NO_LOAD);
      store = join(folder, "store");
      server.spawn();
      await server.ready();
      await withConnection(async (connection) => {
        for (let i = 0; i < 40; i++)
          await connection.request("POST", CONFIG_MAPS, {
            metadata: { name: `a${i}` },
            data: { text: "x".repeat(OBJECT_BYTES) },
          });
      });
      await server.end("SIGTERM");
      whole = new Map(
        readdirSync(store)
          .filter((name) => name.endsWith(".mdb"))
          .map((name) => [name, readFileSync(join(store, name))]),
      );
    });

    after(async () => {
      await server.end("SIGKILL");
      rmSync(server.folder, { recursive: true });
    });

    const withConnection = async (use: (connection: ApiConnection) => Promise<void>) => {
      const connection = server.connect();
      await use(connection);
      connection.close();
    };
    const durable = (): string => join(store, "durable.mdb");
    const zero = (from: number, bytes: number): void => {
      const handle = openSync(durable(), "r+");
      writeSync(handle, Buffer.alloc(bytes), 0, bytes, from);
      closeSync(handle);
    };
    const newer = async (): Promise<void> => {
      const backend = await LmdbBackend.open(store, () => false);
      const state = { ...backend.state!, schema: 1000 };
      await backend.write({ isVolatile: false, removals: [], entries: [], state });
      await backend.close();
    };
    const damages: readonly [string, () => void | Promise<void>, RegExp][] = [
      [
        "a cut file",
        () => truncateSync(durable(), statSync(durable()).size / 4),
        /durable\.mdb cannot be read: it has \d+ bytes of \d+.*[Rr]estore it from a snapshot/,
      ],
      [
        "a file of something else",
        () => writeFileSync(durable(), "no store".repeat(4096)),
        /durable\.mdb cannot be read: it is no LMDB file.*[Rr]estore it from a snapshot/,
      ],
      [
        "zeroed meta pages",
        () => zero(0, 2 * 8192),
        /durable\.mdb cannot be read.*[Rr]estore it from a snapshot/,
      ],
      [
        "zeroed pages",
        () => zero(2 * 8192, 60 * 8192),
        /durable\.mdb cannot be read.*[Rr]estore it from a snapshot/,
      ],
      ["a newer layout", newer, /has layout 1000, and this Skiff reads layouts up to/],
    ];

    for (const [what, damage, message] of damages)
      it(`${what}: ends and names the file and the remedy; the whole file put back serves again`, async () => {
        for (const [name, bytes] of whole) writeFileSync(join(store, name), bytes);
        await damage();
        server.spawn();
        await assert.rejects(server.ready(), { message });
        for (const [name, bytes] of whole) writeFileSync(join(store, name), bytes);
        server.spawn();
        await server.ready();
        await withConnection(async (connection) => {
          assert.equal((await connection.request("GET", `${CONFIG_MAPS}/a39`)).status, 200);
        });
        await server.end("SIGTERM");
      });
  });
}
