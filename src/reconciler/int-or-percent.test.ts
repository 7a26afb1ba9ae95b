import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scaledValue } from "./int-or-percent.ts";

describe("scaledValue", () => {
  //      value, of, rounded up, rounded down
  for (const [value, total, up, down] of [
    [3, 10, 3, 3],
    [0, 10, 0, 0],
    ["25%", 10, 3, 2],
    ["25%", 8, 2, 2],
    ["1%", 10, 1, 0],
    ["100%", 7, 7, 7],
    ["0%", 7, 0, 0],
    ["150%", 4, 6, 6],
    ["30%", 10, 3, 3], // 30 · 10 / 100 is exact, 0.3 · 10 is not
    ["25%", 0, 0, 0],
    ["3", 10, 0, 0],
    ["x%", 10, 0, 0],
    [undefined, 10, 0, 0],
  ] as const) {
    it(`${value} of ${total} is ${up}, rounded down ${down}`, () => {
      assert.deepEqual(
        [scaledValue(value, total, "up"), scaledValue(value, total, "down")],
        [up, down],
      );
    });
  }
});
