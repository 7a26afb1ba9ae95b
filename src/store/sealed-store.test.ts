import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import { createKeyRing, type SealKey } from "./key-ring.ts";
import { openLmdbStore } from "./lmdb/open-lmdb-store.ts";
import { sealStore } from "./sealed-store.ts";
import { storeSuite } from "./store-suite.ts";
import type { Store } from "./store.ts";

const random = new SeededRandom(7);
const key = (id: string): SealKey => ({ id, secret: Buffer.from(random.bytes(32)) });
const [one, two] = [key("one"), key("two")];
const ringOf = (...keys: SealKey[]): ReturnType<typeof createKeyRing> =>
  createKeyRing(keys, random);

storeSuite("lmdb, sealed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-sealed-"));
  const isVolatile = (path: string): boolean => path.startsWith("/volatile/");
  return {
    open: async () =>
      sealStore(await openLmdbStore({ folder, isVolatile }), ringOf(one), () => true),
    remove: () => rm(folder, { recursive: true }),
  };
});

async function inStore(test: (store: Store) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-sealed-"));
  const store = await openLmdbStore({ folder });
  await test(store);
  await store.close();
  await rm(folder, { recursive: true });
}

describe("sealed store", () => {
  const isSealed = (path: string): boolean => path.startsWith("/secrets/");
  const value = Buffer.from("s3cret");

  it("hides the chosen values on disk, and no others", () =>
    inStore(async (inner) => {
      const store = sealStore(inner, ringOf(one), isSealed);
      await store.commit([
        { kind: "put", key: "/secrets/a", value },
        { kind: "put", key: "/pods/a", value },
      ]);
      assert.ok(!(await inner.get("/secrets/a"))!.value.includes("s3cret"));
      assert.deepEqual((await inner.get("/pods/a"))!.value, value);
      assert.deepEqual((await store.get("/secrets/a"))!.value, value);
      const refused = await store.commit([{ kind: "delete", key: "/secrets/a", expect: 9 }]);
      assert.ok(refused.kind === "conflict");
      assert.deepEqual(refused.current?.value, value);
    }));

  it("rotates: the newest key seals, all open", () =>
    inStore(async (inner) => {
      const put = (store: Store, path: string): Promise<unknown> =>
        store.commit([{ kind: "put", key: path, value }]);
      await put(sealStore(inner, ringOf(one), isSealed), "/secrets/a");
      const rotated = sealStore(inner, ringOf(two, one), isSealed);
      await put(rotated, "/secrets/b");
      assert.deepEqual((await rotated.get("/secrets/a"))!.value, value);
      const later = sealStore(inner, ringOf(two), isSealed);
      assert.deepEqual((await later.get("/secrets/b"))!.value, value);
      await assert.rejects(later.get("/secrets/a"), {
        name: "SealBroken",
        message: /\/secrets\/a is sealed with key one, which is missing/,
      });
    }));

  it("refuses what was moved, changed or never sealed", () =>
    inStore(async (inner) => {
      const ring = ringOf(one);
      const sealed = ring.seal("/secrets/a", value);
      const changed = Buffer.from(sealed);
      changed[changed.length - 20]! ^= 1;
      const cases: readonly [string, Buffer, RegExp][] = [
        ["/secrets/b", sealed, /was changed or moved/],
        ["/secrets/a", changed, /was changed or moved/],
        ["/secrets/a", value, /should be sealed and is not/],
        ["/secrets/a", sealed.subarray(0, 12), /should be sealed and is not/],
      ];
      const store = sealStore(inner, ring, isSealed);
      for (const [path, stored, message] of cases) {
        await inner.commit([{ kind: "put", key: path, value: stored }]);
        await assert.rejects(store.get(path), { name: "SealBroken", message });
      }
    }));

  it("seals the same value differently each time", () => {
    const ring = ringOf(one);
    assert.notDeepEqual(ring.seal("/secrets/a", value), ring.seal("/secrets/a", value));
  });
});
