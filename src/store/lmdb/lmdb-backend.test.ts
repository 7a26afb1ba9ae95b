import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";
import { LmdbBackend } from "./lmdb-backend.ts";

let folder: string;
const reopen = async (): Promise<void> => (await openLmdbStore({ folder })).close();

/** @returns a folder as a kill leaves it after three commits that only the log has: no time passes. */
async function crash(): Promise<string> {
  const store = await openLmdbStore({ folder, clock: new VirtualClock() });
  for (let i = 0; i < 3; i++)
    await store.commit([{ kind: "put", key: `/${i}`, value: Buffer.from(`value ${i}`) }]);
  const crashed = join(folder, "crashed");
  mkdirSync(crashed);
  for (const name of readdirSync(folder).filter((file) => /\.(mdb|log)$/.test(file)))
    copyFileSync(join(folder, name), join(crashed, name));
  await store.close();
  return crashed;
}

describe("lmdb store on disk", () => {
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "skiff-lmdb-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("makes its folder and files for its owner alone, and earlier ones too", async () => {
    const inner = join(folder, "a/store");
    const modes = async (): Promise<readonly string[]> => {
      const store = await openLmdbStore({ folder: inner });
      const open = readdirSync(inner)
        .filter((name) => (statSync(join(inner, name)).mode & 0o077) !== 0)
        .sort();
      await store.close();
      return open;
    };
    assert.deepEqual(await modes(), []);
    assert.equal(statSync(inner).mode & 0o777, 0o700);
    chmodSync(join(inner, "durable.mdb"), 0o644);
    assert.deepEqual(await modes(), []);
  });

  it("refuses a second opener, and not one after a close or a crash", async () => {
    const store = await openLmdbStore({ folder });
    await assert.rejects(openLmdbStore({ folder }), {
      name: "StoreInUse",
      message: new RegExp(`in use by process ${process.pid}`),
    });
    const holder = readFileSync(join(folder, "lock"), "utf8");
    await store.close();
    await reopen();
    const later = { ...(JSON.parse(holder) as object), startTime: "1" };
    for (const left of [JSON.stringify(later), "", '{"pid":1']) {
      writeFileSync(join(folder, "lock"), left);
      await reopen();
    }
  });

  it("names a file that is damaged, and says what to do", async () => {
    const store = await openLmdbStore({ folder });
    for (let i = 0; i < 3; i++)
      await store.commit([{ kind: "put", key: `/${i}`, value: Buffer.alloc(1e6) }]);
    await store.close();
    const cut = (file: string): void => truncateSync(file, 3 * 4096);
    const overwrite = (file: string): void => writeFileSync(file, "not a store".repeat(2000));
    const damages: readonly [string, (file: string) => void, RegExp][] = [
      ["durable.mdb", cut, /durable\.mdb .*it has 12288 bytes of/],
      ["volatile.mdb", cut, /volatile\.mdb cannot be read/],
      ["durable.mdb", overwrite, /durable\.mdb cannot be read/],
    ];
    for (const [name, damage, message] of damages) {
      const file = join(folder, name);
      const whole = readFileSync(file);
      damage(file);
      await assert.rejects(reopen(), { name: "StoreUnreadable", message });
      await assert.rejects(reopen(), { message: /Restore it from a snapshot/ });
      writeFileSync(file, whole);
      await reopen();
    }
  });

  it("has in its log what LMDB lacks after a crash, and names a log that is damaged or missing", async () => {
    const crashed = await crash();
    const log = join(crashed, "durable-0.log");
    const whole = readFileSync(log);
    const names = async (message: RegExp): Promise<void> => {
      await assert.rejects(openLmdbStore({ folder: crashed }), {
        name: "StoreUnreadable",
        message,
      });
      writeFileSync(log, whole);
    };
    const damaged = Buffer.from(whole);
    damaged[whole.indexOf("value 1")]!++;
    writeFileSync(log, damaged);
    await names(
      /durable-0\.log cannot be read: record 2 is damaged, and record 3 follows it.*Restore/,
    );
    rmSync(log);
    await names(/durable-0\.log cannot be read: it is missing/);
    const store = await openLmdbStore({ folder: crashed });
    const { records } = await store.range({ from: "/", to: "0" });
    assert.deepEqual(
      records.map(({ key, value }) => `${key} ${value.toString()}`),
      ["/0 value 0", "/1 value 1", "/2 value 2"],
    );
    await store.close();
  });

  it("does not join files that were put back with a later log", async () => {
    await reopen();
    const whole = readFileSync(join(folder, "durable.mdb"));
    const crashed = await crash();
    writeFileSync(join(crashed, "durable.mdb"), whole);
    const store = await openLmdbStore({ folder: crashed });
    assert.deepEqual((await store.range({ from: "/", to: "0" })).records, []);
    await store.close();
  });

  it("refuses a newer layout", async () => {
    await reopen();
    const backend = await LmdbBackend.open(folder, () => false);
    const state = { ...backend.state!, schema: 3 };
    await backend.write({ isVolatile: false, removals: [], entries: [], state });
    await backend.close();
    await assert.rejects(reopen(), {
      name: "StoreTooNew",
      message: /has layout 3, and this Skiff reads layouts up to 2/,
    });
    await assert.rejects(reopen(), { name: "StoreTooNew" });
  });

  it("forgets on disk what it compacts", async () => {
    const store = await openLmdbStore({ folder });
    for (let i = 0; i < 50; i++)
      await store.commit([{ kind: "put", key: `/k${i % 5}`, value: Buffer.alloc(100) }]);
    await store.commit([{ kind: "delete", key: "/k0" }]);
    await store.compact(store.revision());
    await store.close();
    const backend = await LmdbBackend.open(folder, () => false);
    assert.equal([...backend.entries(0, 1e6)].length, 4);
    assert.equal([...backend.heads("/", "0")].length, 4);
    await backend.close();
  });
});
