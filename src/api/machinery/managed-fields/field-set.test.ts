import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../base/seeded-random.ts";
import {
  difference,
  fieldSetOf,
  hasPath,
  intersection,
  isEmptySet,
  pathsOf,
  readFieldSet,
  recursiveDifference,
  union,
  type FieldSet,
} from "./field-set.ts";
import { comparePathElements, formatPath, keyElement, valueElement } from "./path-element.ts";

/** `a/b` is the member b below a. */
const set = (...paths: string[]): FieldSet =>
  fieldSetOf(...paths.map((path) => path.split("/").map((name) => `f:${name}`)));

describe("field sets", () => {
  const a = set("a", "a/b", "c/d", "e");
  const CASES: readonly [string, (x: FieldSet, y: FieldSet) => FieldSet, FieldSet, FieldSet][] = [
    ["union", union, set("a/z", "c"), set("a", "a/b", "a/z", "c", "c/d", "e")],
    ["union of the same", union, set("a/b"), a],
    ["intersection", intersection, set("a", "c/d", "x"), set("a", "c/d")],
    ["intersection of parent and child", intersection, set("c"), set()],
    ["difference leaves children", difference, set("a", "c"), set("a/b", "c/d", "e")],
    ["difference leaves parents", difference, set("a/b", "c/d"), set("a", "e")],
    ["recursive difference", recursiveDifference, set("a", "c"), set("e")],
  ];
  for (const [what, operation, other, expected] of CASES)
    it(what, () => assert.deepEqual(operation(a, other), expected));

  it("what changes nothing gives back the first set itself", () => {
    assert.equal(union(a, set("a", "c/d")), a);
    assert.equal(difference(a, set("x", "c", "a/q")), a);
    assert.equal(recursiveDifference(a, set("x/y")), a);
  });

  it("obeys the laws of sets, compared with sets of texts", () => {
    const random = new SeededRandom(7);
    const names = ["a", "b", "c", "d"];
    const pick = (): string => names[random.integer(names.length)]!;
    const some = (): string[] =>
      Array.from({ length: random.integer(8) }, () =>
        Array.from({ length: 1 + random.integer(3) }, pick).join("/"),
      );
    const texts = (s: FieldSet): string[] =>
      pathsOf(s)
        .map((path) => path.map((e) => e.slice(2)).join("/"))
        .sort();
    for (let round = 0; round < 2000; round++) {
      const [x, y] = [some(), some()];
      const [left, right] = [set(...x), set(...y)];
      assert.deepEqual(texts(union(left, right)), [...new Set([...x, ...y])].sort());
      const rest = [...new Set(x)].filter((path) => !y.includes(path));
      assert.deepEqual(texts(difference(left, right)), rest.sort());
      const both = [...new Set(x)].filter((path) => y.includes(path));
      assert.deepEqual(texts(intersection(left, right)), both.sort());
      for (const path of x)
        assert.ok(
          hasPath(
            left,
            path.split("/").map((name) => `f:${name}`),
          ),
        );
      const result = union(left, right);
      assert.equal(JSON.stringify(readFieldSet(structuredClone(result))), JSON.stringify(result));
    }
  });
});

describe("readFieldSet", () => {
  it("takes a canonical document as it is", () => {
    const document = { "f:a": { ".": {}, "f:b": {} }, 'k:{"n":1}': {} };
    assert.equal(readFieldSet(document), document);
  });

  it("puts another in order and leaves out what it does not know", () => {
    const document = JSON.parse('{"f:b":null,"f:a":{"f:x":{},".":{}},"z:future":{},".":{}}');
    assert.equal(JSON.stringify(readFieldSet(document)), '{"f:a":{".":{},"f:x":{}},"f:b":{}}');
  });

  for (const text of [
    '{"a":{}}',
    '{"f:a":1}',
    '{"k:x":{}}',
    '{"i:x":{}}',
    '{"v:{":{}}',
    "[]",
    "1",
    `{"v:${"[".repeat(50)}${"]".repeat(50)}":{}}`,
  ])
    it(`refuses ${text}`, () => assert.equal(readFieldSet(JSON.parse(text)), undefined));

  it("refuses what is nested without end", () => {
    let document: object = {};
    for (let depth = 0; depth < 200; depth++) document = { "f:a": document };
    assert.equal(readFieldSet(document), undefined);
  });

  it("knows a key called __proto__ only as an element", () => {
    const found = readFieldSet(JSON.parse('{"f:__proto__":{}}'))!;
    assert.equal(JSON.stringify(found), '{"f:__proto__":{}}');
    assert.equal(readFieldSet(JSON.parse('{"__proto__":{}}')), undefined);
  });
});

describe("path elements", () => {
  it("order as upstream's: fields, keys by their values, values, indices", () => {
    const sorted = [
      "f:a",
      "f:b",
      'k:{"port":80,"protocol":"TCP"}',
      'k:{"port":443,"protocol":"TCP"}',
      'k:{"port":443,"protocol":"UDP"}',
      "v:1",
      'v:"a"',
      "v:true",
      "i:2",
      "i:10",
    ];
    assert.deepEqual([...sorted].reverse().sort(comparePathElements), sorted);
  });

  it("print as upstream prints paths", () => {
    const path = [
      "f:spec",
      keyElement([["name", "a"]]),
      keyElement([["p", 80]]),
      valueElement("x"),
    ];
    assert.equal(formatPath([...path, "i:3"]), '.spec[name="a"][p=80][="x"][3]');
  });

  it("write what HTML would misread as Go does", () => {
    assert.equal(keyElement([["name", "<a&b>"]]), 'k:{"name":"\\u003ca\\u0026b\\u003e"}');
  });
});

describe("an empty set", () => {
  it("is what nothing is in", () => {
    assert.ok(isEmptySet(set()));
    assert.ok(isEmptySet(difference(set("a"), set("a"))));
  });
});
