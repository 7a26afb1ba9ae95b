import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "./seeded-random.ts";
import { SortedMap, type SortedView } from "./sorted-map.ts";

const END = "\uffff";

describe("SortedMap", () => {
  it("agrees with a plain map over random changes, and snapshots stay as they were", () => {
    const random = new SeededRandom(7);
    const map = new SortedMap<number>();
    const plain = new Map<string, number>();
    const kept: [SortedView<number>, number[]][] = [];
    const inOrder = (): number[] =>
      [...plain.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
    for (let step = 0; step < 20_000; step++) {
      const key = `k${random.integer(3000)}`;
      if (random.integer(3) === 0) {
        assert.equal(map.delete(key), plain.get(key));
        plain.delete(key);
      } else {
        assert.equal(map.set(key, step), plain.get(key));
        plain.set(key, step);
      }
      if (step % 2500 === 0) kept.push([map.snapshot(), inOrder()]);
    }
    assert.deepEqual(map.slice("", END, Infinity), inOrder());
    assert.equal(map.size, plain.size);
    for (const [snapshot, values] of kept) {
      assert.deepEqual(snapshot.slice("", END, Infinity), values);
      assert.equal(snapshot.size, values.length);
    }
  });

  it("slices and counts a range", () => {
    const map = new SortedMap<string>();
    for (let i = 999; i >= 0; i--) map.set(String(i).padStart(3, "0"), `v${i}`);
    assert.deepEqual(map.slice("510", "513", 10), ["v510", "v511", "v512"]);
    assert.deepEqual(map.slice("998", END, 10), ["v998", "v999"]);
    assert.deepEqual(map.slice("100", END, 2), ["v100", "v101"]);
    assert.equal(map.count("100", "350"), 250);
    assert.equal(map.count("", "000"), 0);
    assert.equal(map.get("777"), "v777");
    assert.equal(map.get("77"), undefined);
  });
});
