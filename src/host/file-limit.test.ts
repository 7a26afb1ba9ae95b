import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectionsMax, connectionsWithin } from "./file-limit.ts";

describe("connectionsWithin", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["20000                20000", 18_000],
    ["1024                 524288", 824],
    ["256                  256", 128],
    ["unlimited            unlimited", Infinity],
  ];
  for (const [soft, expected] of rows)
    it(`${soft.replace(/ +/, " of ")} files: ${expected} connections`, () => {
      const limits = `Max processes     31000    31000   processes\nMax open files            ${soft}    files\n`;
      assert.equal(connectionsWithin(limits), expected);
    });
  it("reads this process's own", () => assert.ok(connectionsMax() > 100));
});
