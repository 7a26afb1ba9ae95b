import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import type { Store, Write } from "../../../src/store/store.ts";
import { storeSuite } from "../../../src/store/store-suite.ts";
import { listing } from "../../../src/store/suite/in-store.ts";
import { SimDisk } from "../faults/sim-disk.ts";
import { openSimStore } from "./sim-backend.ts";

storeSuite("simulation", async () => {
  const disk = new SimDisk(new SeededRandom(1));
  return {
    open: () => openSimStore(disk, "data", { isVolatile: (key) => key.startsWith("/volatile/") }),
    kill: async () => disk.losePower(),
    remove: async () => {},
  };
});

/** What one run of the same load left behind when it was cut off. */
interface Outcome {
  /** After each commit that was sent: its revision and the listing, and whether it was acknowledged. */
  readonly states: { readonly listing: string; isAcknowledged: boolean }[];
}

const COMMITS = 12;

/** The writes of commit `i`: new keys, changes, deletions, a value of several sectors. */
function writesOf(i: number): Write[] {
  const value = Buffer.alloc(i % 3 === 0 ? 1500 : 10, 65 + i);
  const writes: Write[] = [{ kind: "put", key: `/k${i % 5}`, value }];
  if (i % 4 === 3) writes.push({ kind: "delete", key: `/k${(i + 2) % 5}` });
  return writes;
}

async function load(store: Store, outcome: Outcome): Promise<void> {
  const live = new Map<string, string>();
  outcome.states.push({ listing: "", isAcknowledged: true });
  for (let i = 0; i < COMMITS; i++) {
    for (const write of writesOf(i)) {
      if (write.kind === "delete") live.delete(write.key);
      else live.set(write.key, write.value.toString());
    }
    const state = { listing: textOf(live), isAcknowledged: false };
    outcome.states.push(state);
    await store.commit(writesOf(i));
    state.isAcknowledged = true;
    if (i % 5 === 4) await store.compact(store.revision());
  }
}

function textOf(live: ReadonlyMap<string, string>): string {
  return [...live]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(" ");
}

async function contentOf(store: Store): Promise<string> {
  const { records } = await store.range({ from: "/", to: "0" });
  return textOf(new Map(records.map(({ key, value }) => [key, value.toString()])));
}

/** Cuts the power after `operations` disk operations. @returns whether the load had ended before. */
async function runUntil(operations: number, seed: number): Promise<boolean> {
  const disk = new SimDisk(new SeededRandom(seed));
  const outcome: Outcome = { states: [] };
  disk.faults.operationsLeft = operations;
  let revision = 0;
  const isDone = await openSimStore(disk, "data")
    .then(async (store) => {
      await load(store, outcome).finally(() => (revision = store.revision()));
      return true;
    })
    .catch(() => false);
  disk.losePower();
  const store = await openSimStore(disk, "data");
  const where = `power lost after ${operations} operations, seed ${seed}`;
  const found = await contentOf(store);
  const at = outcome.states.findLastIndex((state) => state.listing === found);
  const acknowledged = outcome.states.findLastIndex((state) => state.isAcknowledged);
  if (outcome.states.length > 0)
    assert.ok(at >= acknowledged, `${where}: state ${at}, acknowledged ${acknowledged}`);
  assert.ok(store.revision() >= revision, `${where}: revision ${store.revision()} < ${revision}`);
  const next = await store.commit([{ kind: "put", key: "/after", value: Buffer.from("x") }]);
  assert.ok(next.revision > revision, `${where}: a revision was issued twice`);
  await store.close();
  return isDone;
}

describe("simulated store without power", () => {
  it("finds the last acknowledged state or a later one, wherever it was cut", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      let operations = 0;
      while (!(await runUntil(operations, seed))) operations++;
      assert.ok(operations > COMMITS, "the load did not use the disk");
    }
  });

  it("a full disk refuses what was in flight, keeps reading, and goes on when there is room", async () => {
    const disk = new SimDisk(new SeededRandom(1));
    const store = await openSimStore(disk, "data");
    const put = (key: string): Promise<unknown> =>
      store.commit([{ kind: "put", key, value: Buffer.alloc(2000) }]);
    await put("/a");
    disk.faults.capacityBytes = 6000;
    const results = await Promise.allSettled([put("/b"), put("/c"), put("/d")]);
    assert.deepEqual(
      results.map((result) => result.status === "rejected" && (result.reason as Error).name),
      ["StoreFull", "StoreFull", "StoreFull"],
    );
    assert.equal(store.revision(), 2);
    assert.equal((await listing(store)).split("@").length, 2);
    disk.faults.capacityBytes = Infinity;
    assert.deepEqual(await put("/b"), { kind: "committed", revision: 3 });
    await store.close();
  });

  it("a disk that fails in the middle of a write ends all writing, not reading", async () => {
    const disk = new SimDisk(new SeededRandom(1));
    const store = await openSimStore(disk, "data");
    const put = (): Promise<unknown> =>
      store.commit([{ kind: "put", key: "/a", value: Buffer.from("x") }]);
    await put();
    disk.faults.operationsLeft = 1;
    await assert.rejects(put(), { name: "StoreBroken" });
    disk.faults.operationsLeft = Infinity;
    await assert.rejects(put(), { name: "StoreBroken" });
    assert.equal(await listing(store), "/a=x@2/2");
    await store.close();
  });
});
