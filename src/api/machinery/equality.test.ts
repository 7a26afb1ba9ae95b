import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { equalJson, equalSemantic } from "./equality.ts";

describe("equality", () => {
  //            a, b, equalJson, equalSemantic
  const rows: readonly [unknown, unknown, boolean, boolean][] = [
    [1, 1, true, true],
    [1, "1", false, false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true, true],
    [{ a: 1 }, { a: 1, b: undefined }, true, true],
    [{ a: undefined }, {}, true, true],
    [{ a: undefined }, { b: 1 }, false, false],
    [{ a: 1 }, { b: 1 }, false, false],
    [[1, 2], [2, 1], false, false],
    [[1], [1, 2], false, false],
    [[], {}, false, true],
    [null, undefined, false, true],
    [null, {}, false, true],
    [{ a: [] }, {}, false, true],
    [{ a: { b: {} } }, { c: null }, false, true],
    [{ a: "" }, {}, false, false],
    [{ a: [{ b: [] }] }, { a: [{}] }, false, true],
    [{ toString: 1 }, {}, false, false],
    [{}, { toString: 1 }, false, false],
    [JSON.parse('{"__proto__":1}'), {}, false, false],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}'), true, true],
  ];
  for (const [a, b, isEqual, isSemantic] of rows)
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
      assert.deepEqual([equalJson(a, b), equalJson(b, a)], [isEqual, isEqual]);
      assert.deepEqual([equalSemantic(a, b), equalSemantic(b, a)], [isSemantic, isSemantic]);
    });
});
