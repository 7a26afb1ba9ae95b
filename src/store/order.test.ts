import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareKeys, merged } from "./order.ts";

describe("compareKeys", () => {
  it("orders as the bytes do", () => {
    const keys = [
      "",
      "/",
      "/a",
      "/a\0",
      "/aa",
      "/b",
      "/é",
      "/\ud7ff",
      "/\ue000",
      "/Ａ",
      "/😀",
      "/😁",
    ];
    for (const a of keys)
      for (const b of keys) {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        assert.equal(Math.sign(compareKeys(a, b)), expected, `${a} ${b}`);
      }
  });
});

describe("merged", () => {
  it("gives what both have once, as the first has it, and ends both when left early", () => {
    const ended: string[] = [];
    function* values(name: string, ...numbers: number[]): Generator<string, undefined> {
      try {
        for (const number of numbers) yield `${number}${name}`;
      } finally {
        ended.push(name);
      }
      return undefined;
    }
    const compare = (a: string, b: string): number => parseInt(a) - parseInt(b);
    const all = merged(values("a", 1, 3, 5), values("b", 2, 3, 4, 9), compare);
    assert.deepEqual([...all], ["1a", "2b", "3a", "4b", "5a", "9b"]);
    ended.length = 0;
    for (const value of merged(values("a", 1, 2), values("b", 1, 4), compare)) {
      assert.equal(value, "1a");
      break;
    }
    assert.deepEqual(ended.sort(), ["a", "b"]);
  });
});
