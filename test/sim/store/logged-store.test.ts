import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { VirtualClock } from "../../../src/base/virtual-clock.ts";
import { openLogged } from "../../../src/store/logged-backend.ts";
import { openStore } from "../../../src/store/revisioned-store.ts";
import { storeSuite } from "../../../src/store/store-suite.ts";
import type { Store } from "../../../src/store/store.ts";
import { listing } from "../../../src/store/suite/in-store.ts";
import { SimDisk } from "../faults/sim-disk.ts";
import { SimBackend } from "./sim-backend.ts";
import { SimSegment } from "./sim-segment.ts";

/** More than any age at which the log goes to the backend. */
const LONG_MS = 10_000;
let openings = 0;

/** The simulation's engine behind a log, all on `disk`. */
async function openLoggedStore(disk: SimDisk, clock: VirtualClock): Promise<Store> {
  const backend = await SimBackend.open(disk, "data", {
    isVolatile: (key) => key.startsWith("/volatile/"),
  });
  const segments = [
    await SimSegment.open(disk, "data/0.log"),
    await SimSegment.open(disk, "data/1.log"),
  ] as const;
  await disk.syncFolder("data");
  const id = (++openings).toString(16).padStart(16, "0");
  return openStore(await openLogged(backend, segments, id, clock));
}

storeSuite("simulation, behind a log", async () => {
  const disk = new SimDisk(new SeededRandom(1));
  return {
    open: () => openLoggedStore(disk, new VirtualClock()),
    kill: async () => disk.losePower(),
    remove: async () => {},
  };
});

const COMMITS = 14;

/** A place with a load: commits, of which some lie in the log, some on the way to the backend, some there. */
class Place {
  readonly disk: SimDisk;
  readonly clock = new VirtualClock();
  readonly #random: SeededRandom;
  /** The listing after each commit; the last one acknowledged. */
  readonly listings = [""];
  acknowledged = 0;
  revision = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.disk = new SimDisk(this.#random);
  }

  open(): Promise<Store> {
    return openLoggedStore(this.disk, this.clock);
  }

  async load(store: Store): Promise<void> {
    const live = new Map<string, string>();
    for (let i = 0; i < COMMITS; i++) {
      const key = `/k${this.#random.integer(5)}`;
      const value = String(i).padEnd(i % 3 === 0 ? 1500 : 10, ".");
      live.set(key, value);
      this.listings.push(textOf(live));
      const { revision } = await store.commit([{ kind: "put", key, value: Buffer.from(value) }]);
      this.acknowledged = i + 1;
      this.revision = revision;
      if (this.#random.integer(4) === 0) void this.clock.advance(LONG_MS);
      if (this.#random.integer(8) === 0) await store.compact(revision);
    }
  }
}

function textOf(live: ReadonlyMap<string, string>): string {
  return [...live].sort(([a], [b]) => (a < b ? -1 : 1)).join(" ");
}

async function contentOf(store: Store): Promise<string> {
  const { records } = await store.range({ from: "/", to: "0" });
  return textOf(new Map(records.map(({ key, value }) => [key, value.toString()])));
}

/** Cuts the power after `operations` disk operations. @returns whether the load had ended before. */
async function runUntil(operations: number, seed: number): Promise<boolean> {
  const place = new Place(seed);
  place.disk.faults.operationsLeft = operations;
  const isDone = await place
    .open()
    .then((store) => place.load(store))
    .then(
      () => true,
      () => false,
    );
  place.disk.losePower();
  const store = await place.open();
  const where = `power lost after ${operations} operations, seed ${seed}`;
  const at = place.listings.lastIndexOf(await contentOf(store));
  assert.ok(at >= place.acknowledged, `${where}: state ${at} of ${place.acknowledged}`);
  assert.ok(store.revision() >= place.revision, `${where}: revision ${store.revision()}`);
  const next = await store.commit([{ kind: "put", key: "/after", value: Buffer.from("x") }]);
  assert.ok(next.revision > place.revision, `${where}: a revision was issued twice`);
  await store.close();
  return isDone;
}

/** Leaves `disk` as full as it is: what overwrites still goes. */
async function fill(disk: SimDisk): Promise<void> {
  let bytes = 0;
  for (const name of await disk.list("data"))
    bytes += await (await disk.open(`data/${name}`)).size();
  disk.faults.capacityBytes = bytes;
}

const put = (store: Store, key: string, bytes = 10): Promise<unknown> =>
  store.commit([{ kind: "put", key, value: Buffer.alloc(bytes) }]);

describe("LoggedBackend", () => {
  it("loses nothing acknowledged with the power, wherever it is cut", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      let operations = 0;
      while (!(await runUntil(operations, seed))) operations++;
      assert.ok(operations > COMMITS, "the load did not use the disk");
    }
  });

  it("leaves an empty log when it is closed: a store without its log is whole", async () => {
    const { disk, clock } = new Place(1);
    const store = await openLoggedStore(disk, clock);
    await put(store, "/a");
    await store.close();
    await disk.remove("data/0.log");
    await disk.remove("data/1.log");
    const again = await openLoggedStore(disk, clock);
    assert.match(await listing(again), /^\/a=/);
    await again.close();
  });

  it("reads from the log what is not in the backend, once", async () => {
    const { disk, clock } = new Place(1);
    const store = await openLoggedStore(disk, clock);
    const isIn = async (text: string): Promise<boolean> =>
      Buffer.from(await (await disk.open("data/store.log")).read(0, 1e6)).includes(text);
    for (const key of ["/first", "/second"]) {
      await put(store, key);
      assert.equal(await isIn(key), false);
      assert.equal((await store.range({ from: key, to: `${key}0` })).records.length, 1);
      await clock.advance(LONG_MS);
      for (let turns = 0; turns < 20; turns++) await Promise.resolve();
      assert.equal(await isIn(key), true);
      assert.equal((await store.range({ from: "/", to: "0" })).records.at(-1)!.key, key);
    }
    await store.close();
  });

  it("refuses commits while the backend is full, keeps what it has, goes on when there is room", async () => {
    const { disk, clock } = new Place(1);
    const store = await openLoggedStore(disk, clock);
    await put(store, "/a", 5000);
    await fill(disk);
    await put(store, "/b", 5000);
    await clock.advance(LONG_MS);
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    await assert.rejects(put(store, "/c"), { name: "StoreFull" });
    await assert.rejects(put(store, "/c"), { name: "StoreFull" });
    assert.equal((await listing(store)).split("@").length, 3);
    disk.losePower();
    await assert.rejects(openLoggedStore(disk, clock), { name: "StoreFull" });
    disk.faults.capacityBytes = Infinity;
    const again = await openLoggedStore(disk, clock);
    assert.equal((await listing(again)).split("@").length, 3);
    await put(again, "/d", 5000);
    await fill(disk);
    await clock.advance(LONG_MS);
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    await assert.rejects(put(again, "/e"), { name: "StoreFull" });
    disk.faults.capacityBytes = Infinity;
    await put(again, "/f");
    assert.match(await listing(again), /\/a=.*\/b=.*\/d=.*\/f=/s);
    await again.close();
  });

  it("names the damage of a record that others follow", async () => {
    const { disk, clock } = new Place(1);
    const store = await openLoggedStore(disk, clock);
    for (const key of ["/a", "/b", "/c"]) await put(store, key);
    const file = await disk.open("data/0.log");
    const whole = Buffer.from(await file.read(0, await file.size()));
    const damaged = Buffer.from(whole);
    damaged[whole.indexOf("/b")]!++;
    await file.write(0, damaged);
    await file.sync();
    disk.losePower();
    await assert.rejects(openLoggedStore(disk, clock), {
      name: "LogDamaged",
      message: "record 2 is damaged, and record 3 follows it",
    });
    // The last one may have been on its way when the machine stopped.
    damaged.set(whole);
    damaged[whole.indexOf("/c")]!++;
    const handle = await disk.open("data/0.log");
    await handle.write(0, damaged);
    await handle.sync();
    const again = await openLoggedStore(disk, clock);
    assert.match(await listing(again), /\/a=.*\/b=/s);
    await again.close();
  });
});
