import assert from "node:assert/strict";
import { it } from "node:test";
import {
  KEY_BYTES_MAX,
  SEAL_BYTES_MAX,
  VALUE_BYTES_MAX,
  WRITES_MAX,
  type Write,
} from "../store.ts";
import {
  committed,
  inStore,
  listing,
  put,
  remove,
  type AddTest,
  type NewPlace,
} from "./in-store.ts";

/** Commits: atomic, conditional, numbered in call order. */
export function commitSuite(newPlace: NewPlace): void {
  const test: AddTest = (name, body) => void it(name, inStore(newPlace, body));
  numbering(test);
  conditions(test);
  concurrency(test);
  limits(test);
}

function numbering(test: AddTest): void {
  test("the empty store is at revision 1", async (store) => {
    assert.equal(store.revision(), 1);
    assert.equal(store.compactedRevision(), 0);
    assert.equal(await listing(store), "");
  });

  test("each commit takes the next revision, for all its writes", async (store) => {
    assert.equal(await committed(store, put("/a=1"), put("/b=1")), 2);
    assert.equal(await committed(store, put("/a=2"), remove("/b"), put("/c=2")), 3);
    assert.equal(await listing(store), "/a=2@3/2 /c=2@3/3");
    assert.equal(store.revision(), 3);
  });
}

function conditions(test: AddTest): void {
  test("expectations", async (store) => {
    await committed(store, put("/a=1")); // 2
    await committed(store, put("/a=2"), put("/b=1")); // 3
    await committed(store, remove("/b")); // 4
    const cases: readonly [Write, string][] = [
      [put("/a=x if 2"), "conflict /a 3"],
      [put("/a=x if 0"), "conflict /a 3"],
      [remove("/a if 2"), "conflict /a 3"],
      [put("/new=x if 3"), "conflict /new none"],
      [remove("/new if 3"), "conflict /new none"],
      [put("/b=x if 3"), "conflict /b none"],
      [remove("/new if 0"), "committed 4"],
      [remove("/new"), "committed 4"],
      [put("/a=3 if 3"), "committed 5"],
      [put("/b=2 if 0"), "committed 6"],
      [remove("/a if 5"), "committed 7"],
    ];
    for (const [write, expected] of cases) {
      const result = await store.commit([write]);
      const text =
        result.kind === "committed"
          ? `committed ${result.revision}`
          : `conflict ${result.key} ${result.current?.modRevision ?? "none"}`;
      assert.equal(text, expected, JSON.stringify(write));
    }
    assert.equal(await listing(store), "/b=2@6/6");
  });

  test("a refused commit writes nothing, and shows what the first refused key holds", async (store) => {
    await committed(store, put("/a=1"));
    const result = await store.commit([put("/b=1"), put("/a=2 if 1"), put("/c=1 if 9")]);
    assert.equal(result.kind, "conflict");
    assert.ok(result.kind === "conflict");
    assert.equal(result.key, "/a");
    assert.equal(result.current?.value.toString(), "1");
    assert.equal(result.revision, 2);
    assert.equal(await listing(store), "/a=1@2/2");
  });
}

function concurrency(test: AddTest): void {
  test("concurrent calls are decided in call order", async (store) => {
    const results = await Promise.all([
      store.commit([put("/a=1 if 0")]),
      store.commit([put("/a=2 if 0")]),
      store.commit([put("/a=3 if 2")]),
      store.commit([remove("/a if 3")]),
      store.commit([put("/a=4 if 0")]),
    ]);
    assert.deepEqual(
      results.map((r) => `${r.kind} ${r.revision}`),
      ["committed 2", "conflict 2", "committed 3", "committed 4", "committed 5"],
    );
    assert.ok(results[1]!.kind === "conflict");
    assert.equal(results[1]!.current?.value.toString(), "1");
    assert.equal(await listing(store), "/a=4@5/5");
  });

  test("of many that expect the same, one wins each round", async (store) => {
    await committed(store, put("/n=0"));
    const add = async (): Promise<void> => {
      for (;;) {
        const now = (await store.get("/n"))!;
        const value = Buffer.from(`${Number(now.value.toString()) + 1}`);
        const write: Write = { kind: "put", key: "/n", value, expect: now.modRevision };
        if ((await store.commit([write])).kind === "committed") return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    assert.equal(await listing(store), "/n=20@22/2");
  });
}

function limits(test: AddTest): void {
  test("bounds", async (store) => {
    const value = Buffer.from("x");
    const putAt = (key: string): Write => ({ kind: "put", key, value });
    const many = Array.from({ length: WRITES_MAX + 1 }, (_, i) => putAt(`/${i}`));
    const large = {
      kind: "put",
      key: "/l",
      value: Buffer.alloc(VALUE_BYTES_MAX + SEAL_BYTES_MAX + 1),
    } as const;
    const wrong: readonly (readonly Write[])[] = [
      [],
      many,
      [putAt("/a"), putAt("/a")],
      [putAt("")],
      [putAt("k".repeat(KEY_BYTES_MAX + 1))],
      [large],
      [putAt("/a"), putAt("/volatile/a")],
    ];
    for (const writes of wrong)
      await assert.rejects(store.commit(writes), { name: "AssertionError" });
    await committed(store, ...many.slice(1));
    await committed(store, putAt("k".repeat(KEY_BYTES_MAX)));
    await committed(store, { ...large, value: large.value.subarray(0, VALUE_BYTES_MAX) });
    assert.equal((await store.get("/l"))!.value.length, VALUE_BYTES_MAX);
    await committed(store, { ...large, value: Buffer.alloc(0) });
    assert.equal((await store.get("/l"))!.value.length, 0);
  });

  test("volatile keys are on the same line of revisions", async (store) => {
    const revisions = await Promise.all(
      ["/a", "/volatile/a", "/b", "/volatile/b"].map((key) => committed(store, put(`${key}=1`))),
    );
    assert.deepEqual(revisions, [2, 3, 4, 5]);
    assert.equal(await listing(store), "/a=1@2/2 /b=1@4/4 /volatile/a=1@3/3 /volatile/b=1@5/5");
  });

  test("after close every call is refused", async (store) => {
    const last = store.commit([put("/a=1")]);
    await store.close();
    await store.close();
    assert.equal((await last).kind, "committed");
    const closed = { name: "Closed" };
    await assert.rejects(store.commit([put("/a=1")]), closed);
    await assert.rejects(store.get("/a"), closed);
    await assert.rejects(store.range({ from: "/", to: "0" }), closed);
    await assert.rejects(store.compact(1), closed);
    await assert.rejects(store.watch("/", 1)[Symbol.asyncIterator]().next(), closed);
  });
}
