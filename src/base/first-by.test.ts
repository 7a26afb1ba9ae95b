import assert from "node:assert/strict";
import { it } from "node:test";
import { firstBy } from "./first-by.ts";

it("firstBy finds the first of each key, in one pass", () => {
  const items = [
    { name: "a", at: 0 },
    { name: "b", at: 1 },
    { name: "a", at: 2 },
  ];
  const found = firstBy(items, ({ name }) => name);
  assert.deepEqual(
    [...found].map(([name, { at }]) => [name, at]),
    [
      ["a", 0],
      ["b", 1],
    ],
  );
  assert.equal(firstBy(undefined, String).size, 0);
});
