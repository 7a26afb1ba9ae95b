import assert from "node:assert/strict";
import { it } from "node:test";
import { WATCH_BUFFER_BYTES, type Change, type Store, type WatchBatch } from "../store.ts";
import {
  changesSince,
  changeText,
  committed,
  inStore,
  iterate,
  put,
  readTo,
  remove,
  type AddTest,
  type NewPlace,
} from "./in-store.ts";

/** Watches: in order, whole commits, from any readable revision. */
export function watchSuite(newPlace: NewPlace): void {
  const test: AddTest = (name, body) => void it(name, inStore(newPlace, body));
  contents(test);
  order(test);
  batches(test);
  ends(test);
}

function contents(test: AddTest): void {
  test("the past, by prefix", async (store) => {
    await committed(store, put("/a/1=x"), put("/b/1=x")); // 2
    await committed(store, put("/volatile/1=v")); // 3
    await committed(store, put("/a/1=y"), remove("/b/1")); // 4
    await committed(store, remove("/a/1")); // 5
    await committed(store, put("/a/1=z")); // 6
    assert.deepEqual(await changesSince(store, "/a/", 1), [
      "+/a/1=x@2/2<0",
      "+/a/1=y@4/2<2",
      "-/a/1@5/2<4",
      "+/a/1=z@6/6<0",
    ]);
    assert.deepEqual(await changesSince(store, "/", 3), [
      "+/a/1=y@4/2<2",
      "-/b/1@4/2<2",
      "-/a/1@5/2<4",
      "+/a/1=z@6/6<0",
    ]);
    assert.deepEqual(await changesSince(store, "/volatile/", 1), ["+/volatile/1=v@3/3<0"]);
  });

  test("the present, with the very buffer that was committed", async (store) => {
    const watch = iterate(store, "/", store.revision());
    const value = Buffer.from("x");
    const next = watch.next();
    await store.commit([{ kind: "put", key: "/a", value }]);
    const { value: batch } = (await next) as IteratorYieldResult<WatchBatch>;
    assert.equal(batch.changes[0]!.value, value);
    await watch.return?.();
  });
}

function order(test: AddTest): void {
  test("a watch begins when it is called", async (store) => {
    const watch = iterate(store, "/", store.revision());
    const value = Buffer.from("x");
    await store.commit([{ kind: "put", key: "/a", value }]);
    const [batch] = await readTo(watch, 2);
    assert.equal(batch!.changes[0]!.value, value);
  });

  test("a reader that waits has run before the commit resolves", async (store) => {
    let seen = store.revision();
    const reading = (async () => {
      for await (const batch of store.watch("/", seen)) {
        seen = batch.revision;
        if (seen === 21) return;
      }
    })();
    for (let i = 0; i < 20; i++) {
      const key = i % 3 === 0 ? "/volatile/a" : "/a";
      const revision = await committed(store, put(`${key}=${i}`));
      assert.ok(seen >= revision, `saw ${seen} when ${revision} was acknowledged`);
    }
    await reading;
  });

  test("progress is told where nothing of the prefix changed", async (store) => {
    const watch = iterate(store, "/b/", store.revision());
    const next = watch.next();
    await committed(store, put("/a/1=x"));
    assert.deepEqual(await next, { done: false, value: { revision: 2, changes: [] } });
    await watch.return?.();
  });

  test("a reader that joins in the middle misses and repeats nothing", async (store) => {
    const writing = writeMany(store, 300);
    const readers: Promise<readonly Change[]>[] = [];
    for (let i = 0; i < 5; i++) {
      readers.push(changesTo(store, 1, 301));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    for (const changes of await Promise.all(readers))
      assert.deepEqual(
        changes.map((change) => change.revision),
        Array.from({ length: 300 }, (_, i) => i + 2),
      );
  });
}

function batches(test: AddTest): void {
  test("the changes of one commit come in one batch, past and present", async (store) => {
    const watch = iterate(store, "/", 1);
    const keys = Array.from({ length: 700 }, (_, i) => `/k${i}`);
    for (let i = 0; i < 4; i++) await committed(store, ...keys.map((key) => put(`${key}=${i}`)));
    for (const batches of [await readTo(watch, 5), await readTo(iterate(store, "/", 1), 5)]) {
      const seen = new Set<number>();
      for (const { changes } of batches) {
        const revisions = new Set(changes.map((change) => change.revision));
        for (const revision of revisions) assert.ok(!seen.has(revision), "split commit");
        revisions.forEach((revision) => seen.add(revision));
      }
      assert.equal(batches.flatMap((batch) => batch.changes).length, 2800);
    }
  });

  test("a reader that is too far behind ends with TooOld; others go on", async (store) => {
    const slow = iterate(store, "/", store.revision());
    const other = iterate(store, "/other", store.revision());
    const value = Buffer.alloc(3 * 1024 * 1024);
    const count = Math.ceil(WATCH_BUFFER_BYTES / value.length) + 1;
    for (let i = 0; i < count; i++) await store.commit([{ kind: "put", key: "/a", value }]);
    await assert.rejects(slow.next(), { name: "TooOld" });
    assert.equal((await readTo(other, store.revision())).length, 1);
  });
}

function ends(test: AddTest): void {
  test("an idle watch can be ended, and ends with Closed when the store closes", async (store) => {
    const ended = iterate(store, "/", 1);
    const waiting = ended.next();
    await ended.return?.();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.deepEqual(await ended.next(), { done: true, value: undefined });
    const closed = assert.rejects(iterate(store, "/", 1).next(), { name: "Closed" });
    await store.close();
    await closed;
  });

  test("deletions carry no value", async (store) => {
    await committed(store, put("/a=1"));
    await committed(store, remove("/a"));
    const batches = await readTo(iterate(store, "/", 2), 3);
    const change = batches[0]!.changes[0]!;
    assert.equal(changeText(change), "-/a@3/2<2");
    assert.equal(change.value, undefined);
  });
}

async function writeMany(store: Store, count: number): Promise<void> {
  for (let i = 0; i < count;) {
    const size = Math.min(7, count - i);
    await Promise.all(Array.from({ length: size }, (_, n) => committed(store, put(`/k${n}=${i}`))));
    i += size;
  }
}

async function changesTo(store: Store, from: number, to: number): Promise<readonly Change[]> {
  return (await readTo(iterate(store, "/", from), to)).flatMap((batch) => batch.changes);
}
