import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LargeMap, partOf } from "./large-map.ts";
import { SeededRandom } from "./seeded-random.ts";

describe("large map", () => {
  it("is a map, before and after it is divided", () => {
    const random = new SeededRandom(1);
    const [map, model] = [new LargeMap<number>(), new Map<string, number>()];
    for (let at = 0; at < 60_000; at++) {
      const key = `big/p-${random.integer(at < 40_000 ? 20_000 : 500)}`;
      if (random.integer(4) === 0) assert.equal(map.delete(key), model.delete(key));
      else {
        map.set(key, at);
        model.set(key, at);
      }
      assert.equal(map.size, model.size);
    }
    for (let at = 0; at < 20_000; at++) {
      const key = `big/p-${at}`;
      assert.equal(map.get(key), model.get(key));
      assert.equal(map.has(key), model.has(key));
    }
    const inOrder = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);
    assert.deepEqual(inOrder(map.values()), inOrder(model.values()));
  });

  it("keys come to all parts, wherever they differ", () => {
    const kinds = [
      (at: number) => `default/web-7d9c5b8f6d-${at.toString(36).padStart(5, "x")}`,
      (at: number) => `default/p-${at}`,
      (at: number) => `default/p-${String(at).padStart(6, "0")}`,
      (at: number) => `00000000-0000-4000-8000-${at.toString(16).padStart(12, "0")}`,
      (at: number) => `default/${at}-controller-of-something`,
      (at: number) => `ns-${at}/kube-root-ca.crt`,
    ];
    for (const keyAt of kinds) {
      const sizes = new Map<number, number>();
      for (let at = 0; at < 65_536; at++) {
        const part = partOf(keyAt(at));
        sizes.set(part, (sizes.get(part) ?? 0) + 1);
      }
      // 1,024 would be their equal share.
      const largest = Math.max(...sizes.values());
      assert.ok(largest < 4096, `${keyAt(12)}: ${largest}`);
    }
  });
});
