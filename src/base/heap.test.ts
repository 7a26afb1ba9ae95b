import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Heap } from "./heap.ts";
import { SeededRandom } from "./seeded-random.ts";

describe("Heap", () => {
  it("gives back what was put in, least first", () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < 50; round++) {
      const heap = new Heap<number>((a, b) => a < b);
      const numbers = Array.from({ length: random.integer(40) }, () => random.integer(20));
      numbers.forEach((number) => heap.push(number));
      const out: number[] = [];
      while (heap.size > 0) out.push(heap.pop()!);
      assert.deepEqual(
        out,
        numbers.sort((a, b) => a - b),
      );
    }
  });

  it("is empty without complaint", () => {
    const heap = new Heap<number>((a, b) => a < b);
    assert.equal(heap.pop(), undefined);
    assert.equal(heap.peek(), undefined);
  });
});
