import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { SPACE, writePretty } from "./pretty-json.ts";

function pretty(value: unknown, indent = 0, room = 100_000): string | undefined {
  const source = Buffer.from(JSON.stringify(value));
  const target = Buffer.alloc(room, SPACE);
  const end = writePretty(source, source.length, target, 0, indent);
  return end < 0 ? undefined : target.toString("utf8", 0, end);
}

describe("writePretty", () => {
  const values = [
    {},
    [],
    1,
    "a",
    [[]],
    { a: {}, b: [], c: [{}, [1, null, true, -1.5e300]] },
    { 'quo"te': 'back\\slash \\" { [ , : } ]', "": "\u2028 é 日本 \u0007", deep: [[[["x"]]]] },
    pod("p"),
  ];
  for (const value of values)
    it(`writes ${JSON.stringify(value).slice(0, 60)} as JSON.stringify does`, () => {
      assert.equal(pretty(value), JSON.stringify(value, undefined, 2));
      const indented = JSON.stringify(value, undefined, 2).replaceAll("\n", "\n    ");
      assert.equal(pretty(value, 4), indented);
    });

  it("says when there is no room, and never writes beyond it", () => {
    const deep: unknown[] = [];
    let inner = deep;
    for (let at = 0; at < 90; at++) inner.push((inner = []), 1);
    const whole = JSON.stringify(deep, undefined, 2);
    for (let room = 0; room < whole.length; room += 97)
      assert.equal(pretty(deep, 0, room), undefined);
    assert.equal(pretty(deep), whole);
  });
});
