import assert from "node:assert/strict";
import { it } from "node:test";
import { prefixEnd, type StoredRecord } from "../store.ts";
import {
  committed,
  inStore,
  listing,
  put,
  remove,
  type AddTest,
  type NewPlace,
} from "./in-store.ts";

/** Gets and ranges, at the newest and at older revisions. */
export function readSuite(newPlace: NewPlace): void {
  const test: AddTest = (name, body) => void it(name, inStore(newPlace, body));
  snapshots(test);
  pages(test);
}

function snapshots(test: AddTest): void {
  test("every revision stays readable", async (store) => {
    await committed(store, put("/a=1")); // 2
    await committed(store, put("/a=2"), put("/b=1")); // 3
    await committed(store, remove("/a")); // 4
    await committed(store, put("/a=3")); // 5
    const lists: readonly [number, string][] = [
      [1, ""],
      [2, "/a=1@2/2"],
      [3, "/a=2@3/2 /b=1@3/3"],
      [4, "/b=1@3/3"],
      [5, "/a=3@5/5 /b=1@3/3"],
    ];
    for (const [revision, expected] of lists) {
      assert.equal(await listing(store, "/", revision), expected);
      const record = await store.get("/a", revision);
      const first = expected.startsWith("/a") ? expected[3] : undefined;
      assert.equal(record?.value.toString(), first);
    }
    assert.equal((await store.get("/a"))!.createRevision, 5);
    assert.equal(await store.get("/none"), undefined);
  });

  test("keys are ordered by their bytes, and ranges are half open", async (store) => {
    // U+1F600 sorts before U+FF21 by UTF-16 units, and after it by bytes.
    const keys = ["/a", "/a\0", "/a/b", "/aa", "/b", "/Ａ", "/😀"];
    await committed(store, ...[...keys].reverse().map((key) => put(`${key}=1`)));
    const all = async (from: string, to: string): Promise<readonly string[]> =>
      (await store.range({ from, to })).records.map((record) => record.key);
    assert.deepEqual(await all("/", "0"), keys);
    assert.deepEqual(await all("/a", "/b"), ["/a", "/a\0", "/a/b", "/aa"]);
    assert.deepEqual(await all("/a/", prefixEnd("/a/")), ["/a/b"]);
    assert.deepEqual(await all("/b", "/a"), []);
  });
}

function pages(test: AddTest): void {
  test("pages of one listing see one snapshot", async (store) => {
    const keys = Array.from({ length: 25 }, (_, i) => `/k${String(i).padStart(2, "0")}`);
    await committed(store, ...keys.map((key) => put(`${key}=1`)));
    const found: StoredRecord[] = [];
    let page = await store.range({ from: "/", to: "0", limit: 10 });
    const { revision } = page;
    for (let from = "/"; ;) {
      found.push(...page.records);
      if (!page.hasMore) break;
      assert.equal(page.records.length, 10);
      await committed(store, put(`/k05${found.length}=new`), remove("/k24"), put("/k20=2"));
      from = `${page.records.at(-1)!.key}\0`;
      page = await store.range({ from, to: "0", limit: 10, revision });
      assert.equal(page.revision, revision);
    }
    assert.deepEqual(
      found.map(({ key, value }) => `${key}=${value.toString()}`),
      keys.map((key) => `${key}=1`),
    );
  });

  test("a limit that is met exactly leaves nothing more", async (store) => {
    await committed(store, put("/a=1"), put("/b=1"));
    const hasMore = async (limit: number): Promise<boolean> =>
      (await store.range({ from: "/", to: "0", limit })).hasMore;
    assert.deepEqual([await hasMore(1), await hasMore(2), await hasMore(3)], [true, false, false]);
  });

  test("a large range is one snapshot, while commits go on", async (store) => {
    for (let part = 0; part < 3; part++) {
      const keys = Array.from({ length: 1000 }, (_, i) => `/${part}/${i}`);
      await committed(store, ...keys.map((key) => put(`${key}=old`)));
    }
    const range = store.range({ from: "/", to: "0" });
    const later = committed(store, put("/2/999=new"), remove("/2/998"), put("/2/new=new"));
    const { records, revision } = await range;
    await later;
    assert.equal(revision, 4);
    assert.equal(records.length, 3000);
    assert.ok(records.every((record) => record.value.toString() === "old"));
  });

  test("a revision that was not issued", async (store) => {
    const future = { name: "FutureRevision" };
    await assert.rejects(store.get("/a", 2), future);
    await assert.rejects(store.range({ from: "/", to: "0", revision: 2 }), future);
    await assert.rejects(store.compact(2), future);
    await assert.rejects(store.watch("/", 2)[Symbol.asyncIterator]().next(), future);
  });
}
