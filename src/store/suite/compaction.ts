import assert from "node:assert/strict";
import { it } from "node:test";
import {
  changesSince,
  committed,
  inStore,
  iterate,
  listing,
  put,
  readTo,
  remove,
  type AddTest,
  type NewPlace,
} from "./in-store.ts";

/** Compaction: what is forgotten, and what must not be. */
export function compactionSuite(newPlace: NewPlace): void {
  const test: AddTest = (name, body) => void it(name, inStore(newPlace, body));
  forgetting(test);
  workingOn(test);
}

function forgetting(test: AddTest): void {
  test("the compaction revision and all after it stay readable", async (store) => {
    await committed(store, put("/a=1"), put("/keep=1")); // 2
    await committed(store, put("/a=2"), put("/b=1")); // 3
    await committed(store, remove("/b")); // 4
    await committed(store, put("/a=3")); // 5
    await committed(store, put("/b=2")); // 6
    await store.compact(4);
    assert.equal(store.compactedRevision(), 4);
    await assert.rejects(listing(store, "/", 3), { name: "TooOld", compacted: 4 });
    await assert.rejects(store.get("/a", 3), { name: "TooOld" });
    await assert.rejects(iterate(store, "/", 3).next(), { name: "TooOld" });
    assert.equal(await listing(store, "/", 4), "/a=2@3/2 /keep=1@2/2");
    assert.equal(await listing(store, "/", 5), "/a=3@5/2 /keep=1@2/2");
    assert.equal(await listing(store), "/a=3@5/2 /b=2@6/6 /keep=1@2/2");
    assert.deepEqual(await changesSince(store, "/", 4), ["+/a=3@5/2<3", "+/b=2@6/6<0"]);
  });

  test("is idempotent, and never goes back", async (store) => {
    for (let i = 0; i < 4; i++) await committed(store, put(`/a=${i}`));
    await Promise.all([store.compact(4), store.compact(4), store.compact(2)]);
    await store.compact(3);
    assert.equal(store.compactedRevision(), 4);
    assert.equal(await listing(store, "/", 4), "/a=2@4/2");
    await store.compact(5);
    assert.equal(await listing(store), "/a=3@5/2");
  });
}

function workingOn(test: AddTest): void {
  test("a deleted key can be made again, before, while and after its end is forgotten", async (store) => {
    for (let round = 0; round < 5; round++) {
      await committed(store, put("/a=x if 0"));
      await committed(store, remove("/a"));
      const compaction = store.compact(store.revision());
      const again = committed(store, put(`/a=${round} if 0`), put("/b=x"));
      await Promise.all([compaction, again]);
      const revision = await again;
      assert.equal((await store.get("/a"))!.createRevision, revision);
      assert.equal(await store.get("/a", revision - 1), undefined);
      await committed(store, remove(`/a if ${revision}`));
      await store.compact(store.revision());
      assert.equal(await store.get("/a"), undefined);
    }
  });

  test("a live reader does not mind", async (store) => {
    const watch = iterate(store, "/", 1);
    await committed(store, put("/a=1"));
    await committed(store, put("/a=2"));
    await store.compact(3);
    const changes = (await readTo(watch, 3)).flatMap((batch) => batch.changes);
    assert.deepEqual(
      changes.map((change) => change.value?.toString()),
      ["1", "2"],
    );
  });

  test("a large one leaves room for commits, and loses nothing", async (store) => {
    for (let i = 0; i < 30; i++)
      await committed(store, ...Array.from({ length: 100 }, (_, k) => put(`/k${k}=${i}`)));
    await committed(store, ...Array.from({ length: 50 }, (_, k) => remove(`/k${k}`)));
    const compaction = store.compact(store.revision());
    await Promise.all(Array.from({ length: 50 }, (_, k) => committed(store, put(`/k${k}=new`))));
    await compaction;
    const values = (await listing(store)).split(" ").map((text) => /=(\w+)@/.exec(text)![1]);
    assert.equal(values.filter((value) => value === "new").length, 50);
    assert.equal(values.filter((value) => value === "29").length, 50);
  });
}
