import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSmall } from "./is-small.ts";
import { remembered } from "./recent.ts";

describe("isSmall", () => {
  const list = (count: number): unknown => new Array<number>(count).fill(0);
  const rows: readonly (readonly [string, unknown, boolean])[] = [
    ["a text", "a", true],
    ["a long text", "x".repeat(65_537), false],
    ["texts that are long together", [["x".repeat(40_000)], { a: "x".repeat(40_000) }], false],
    ["2000 values", list(2000), true],
    ["2001 values", list(2001), false],
    ["values at any depth", { a: [list(1000), list(1000)] }, false],
    ["null", null, true],
  ];
  for (const [name, value, expected] of rows)
    it(`${name}: ${expected}`, () => assert.equal(isSmall(value), expected));
});

it("remembered keeps nothing of large objects", () => {
  let made = 0;
  const make = remembered(2, () => ++made);
  const [small, large] = [{ a: 1 }, { a: "x".repeat(100_000) }];
  assert.deepEqual([make(small), make(small), make(large), make(large)], [1, 1, 2, 3]);
});
