import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { equalJson, equalSemantic, equalStored } from "./equality.ts";

describe("equality", () => {
  //            a, b, equalJson, equalSemantic, equalStored
  const rows: readonly [unknown, unknown, boolean, boolean, boolean][] = [
    [1, 1, true, true, true],
    [1, "1", false, false, false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true, true, true],
    [{ a: 1 }, { a: 1, b: undefined }, true, true, true],
    [{ a: undefined }, {}, true, true, true],
    [{ a: undefined }, { b: 1 }, false, false, false],
    [{ a: 1 }, { b: 1 }, false, false, false],
    [[1, 2], [2, 1], false, false, false],
    [[1], [1, 2], false, false, false],
    [[], {}, false, true, false],
    [null, undefined, false, true, true],
    [null, {}, false, true, false],
    [{ a: [] }, {}, false, true, true],
    [{ a: { b: {} } }, { c: null }, false, true, false],
    [{ a: "" }, {}, false, false, false],
    [{ a: [{ b: [] }] }, { a: [{}] }, false, true, true],
    [{ toString: 1 }, {}, false, false, false],
    [{}, { toString: 1 }, false, false, false],
    [JSON.parse('{"__proto__":1}'), {}, false, false, false],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}'), true, true, true],
  ];
  for (const [a, b, isEqual, isSemantic, isStored] of rows)
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
      assert.deepEqual([equalJson(a, b), equalJson(b, a)], [isEqual, isEqual]);
      assert.deepEqual([equalSemantic(a, b), equalSemantic(b, a)], [isSemantic, isSemantic]);
      assert.deepEqual([equalStored(a, b), equalStored(b, a)], [isStored, isStored]);
    });
});
