import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { duplicateFields } from "./json-scan.ts";

const pairs = (count: number): string =>
  Array.from({ length: count }, (_, i) => `"k${i}":0,"k${i}":0`).join();

describe("duplicateFields", () => {
  const table: [string, string, string[]][] = [
    ["no duplicates", '{"a":1,"b":{"a":2}}', []],
    ["a nested field", '{"spec":{"replicas":1,"replicas":2}}', ["spec.replicas"]],
    ["at the top", '{"kind":"a","kind":"b","kind":"c"}', ["kind"]],
    [
      "inside lists",
      '{"c":[{"n":1},{"n":1,"e":[{"x":1,"x":2}],"n":3}]}',
      ["c[1].e[0].x", "c[1].n"],
    ],
    ["values are not keys", '{"a":"a","b":["a","a"]}', []],
    ["escapes in values", '{"a":"x\\\\","b":"\\"","a":1}', ["a"]],
    ["escapes in keys", '{"ab":1,"\\u0061b":2}', ["ab"]],
    ["white space", '{ "a" : 1 ,\n "a" : 2 }', ["a"]],
    [
      "many keys",
      `{${Array.from({ length: 40 }, (_, i) => `"k${i}":0`).join(",")},"k3":1,"k39":1}`,
      ["k3", "k39"],
    ],
    ["cut text", '{"a":1,"a', ["a"]],
    ["a hundred of many", `{${pairs(2000)}}`, Array.from({ length: 100 }, (_, i) => `k${i}`)],
    ["below a long key", `{"${"x".repeat(9000)}":{"a":1,"a":1}}`, [`${"x".repeat(4096)}...`]],
  ];
  for (const [name, text, expected] of table)
    it(name, () => {
      assert.deepEqual(duplicateFields(text), expected);
    });
});
