import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { applyJsonPatch } from "./json-patch.ts";
import type { JsonRecord } from "./json-value.ts";
import { applyMergePatch } from "./merge-patch.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

const string: FieldSchema = { type: "string" };
const strings: FieldSchema = { type: "array", items: string, patchStrategy: ["merge"] };
const listOf = (ref: string, key: string): FieldSchema => ({
  type: "array",
  items: { type: "ref", ref },
  patchStrategy: ["merge"],
  patchMergeKey: key,
});
const types: Readonly<Record<string, TypeSchema["fields"]>> = {
  Root: {
    labels: { type: "map", items: string },
    finalizers: strings,
    args: { type: "array", items: string },
    containers: listOf("Container", "name"),
    strategy: { type: "ref", ref: "Strategy", patchStrategy: ["retainKeys"] },
    whole: { type: "ref", ref: "Strategy", patchStrategy: ["replace"] },
  },
  Container: { name: string, image: string, env: listOf("Env", "name") },
  Env: { name: string, value: string },
  Strategy: { type: string, rolling: { type: "map", items: string } },
};
const schemas: SchemaSet = {
  type: (name) => ({ name, fields: types[name]! }),
  root: () => undefined,
};

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
const strategic = (original: string, patch: string): unknown =>
  applyStrategicMergePatch(
    freeze(JSON.parse(original) as JsonRecord),
    freeze(JSON.parse(patch)),
    schemas.type("Root"),
    schemas,
  );

describe("strategic merge patch", () => {
  const rows: readonly [string, string, string, string][] = [
    [
      "fields merge, null deletes",
      '{"labels":{"a":"1","b":"2"}}',
      '{"labels":{"a":null,"c":"3"}}',
      '{"labels":{"b":"2","c":"3"}}',
    ],
    [
      "null in a new object vanishes",
      "{}",
      '{"labels":{"a":null,"b":"1"}}',
      '{"labels":{"b":"1"}}',
    ],
    [
      "lists without strategy are replaced",
      '{"args":["a","b"]}',
      '{"args":["c"]}',
      '{"args":["c"]}',
    ],
    [
      "lists of scalars merge",
      '{"finalizers":["a","b"]}',
      '{"finalizers":["c","a"]}',
      '{"finalizers":["c","a","b"]}',
    ],
    [
      "values are deleted",
      '{"finalizers":["a","b","c"]}',
      '{"$deleteFromPrimitiveList/finalizers":["b","x"]}',
      '{"finalizers":["a","c"]}',
    ],
    ["values deleted of no list", "{}", '{"$deleteFromPrimitiveList/finalizers":["b"]}', "{}"],
    [
      "lists merge by key",
      '{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}',
      '{"containers":[{"name":"b","image":"3"},{"name":"c"}]}',
      '{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"},{"name":"c"}]}',
    ],
    [
      "a new item comes before the old",
      '{"containers":[{"name":"a"}]}',
      '{"containers":[{"name":"b"}]}',
      '{"containers":[{"name":"b"},{"name":"a"}]}',
    ],
    [
      "merging goes deep",
      '{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}',
      '{"containers":[{"name":"a","env":[{"name":"Y","value":null},{"name":"X","value":"9"}]}]}',
      '{"containers":[{"name":"a","env":[{"name":"Y"},{"name":"X","value":"9"}]}]}',
    ],
    [
      "$patch delete of an item",
      '{"containers":[{"name":"a"},{"name":"b"}]}',
      '{"containers":[{"name":"a","$patch":"delete"}]}',
      '{"containers":[{"name":"b"}]}',
    ],
    [
      "$patch replace of a list",
      '{"containers":[{"name":"a"},{"name":"b"}]}',
      '{"containers":[{"name":"c"},{"$patch":"replace"}]}',
      '{"containers":[{"name":"c"}]}',
    ],
    [
      "$patch replace of an object",
      '{"labels":{"a":"1"}}',
      '{"labels":{"b":"2","$patch":"replace"}}',
      '{"labels":{"b":"2"}}',
    ],
    [
      "$patch delete of an object",
      '{"labels":{"a":"1"}}',
      '{"labels":{"$patch":"delete"}}',
      '{"labels":{}}',
    ],
    ["$patch delete of nothing", "{}", '{"labels":{"$patch":"delete"}}', "{}"],
    [
      "$retainKeys clears the rest",
      '{"strategy":{"type":"RollingUpdate","rolling":{"a":"1"}}}',
      '{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}',
      '{"strategy":{"type":"Recreate"}}',
    ],
    [
      "strategy replace",
      '{"whole":{"type":"a","rolling":{}}}',
      '{"whole":{"type":"b"}}',
      '{"whole":{"type":"b"}}',
    ],
    [
      "$setElementOrder",
      '{"containers":[{"name":"a"},{"name":"b"},{"name":"s"}]}',
      '{"$setElementOrder/containers":[{"name":"b"},{"name":"c"},{"name":"a"}],"containers":[{"name":"c"}]}',
      '{"containers":[{"name":"b"},{"name":"c"},{"name":"a"},{"name":"s"}]}',
    ],
    [
      "$setElementOrder alone",
      '{"finalizers":["a","b"]}',
      '{"$setElementOrder/finalizers":["b","a"]}',
      '{"finalizers":["b","a"]}',
    ],
    [
      "$setElementOrder with deletion",
      '{"containers":[{"name":"a"},{"name":"b"}]}',
      '{"$setElementOrder/containers":[{"name":"b"}],"containers":[{"name":"a","$patch":"delete"}]}',
      '{"containers":[{"name":"b"}]}',
    ],
    [
      "unknown fields merge as plain JSON",
      '{"x":{"a":1}}',
      '{"x":{"b":[1]}}',
      '{"x":{"a":1,"b":[1]}}',
    ],
    [
      "__proto__ is a key like others",
      "{}",
      '{"labels":{"__proto__":"x"}}',
      '{"labels":{"__proto__":"x"}}',
    ],
  ];
  for (const [name, original, patch, result] of rows)
    it(name, () => assert.equal(JSON.stringify(strategic(original, patch)), result));

  const refused: readonly [string, string, string][] = [
    [
      "[]",
      "{}",
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    [
      '{"containers":[{"image":"x"}]}',
      "{}",
      "map: map[image:x] does not contain declared merge key: name",
    ],
    ['{"labels":{"$patch":"x"}}', '{"labels":{}}', "unknown patch type: x in map: map[$patch:x]"],
    [
      '{"containers":[{"$patch":"merge"}]}',
      "{}",
      "merging lists cannot yet be specified in the patch",
    ],
    ['{"finalizers":["a",{}]}', "{}", "list element types are not identical: [a map[]]"],
    ['{"finalizers":[["a"]]}', "{}", "lists of lists are not supported"],
    [
      '{"strategy":{"$retainKeys":["a"],"type":"b"}}',
      '{"strategy":{}}',
      "invalid patch format of retainKeys",
    ],
    ['{"$setElementOrder":[]}', "{}", "invalid patch format of setElementOrder list"],
    ['{"$deleteFromPrimitiveList":[]}', "{}", "invalid patch format of primitive list"],
    [
      '{"$patch":{"toString":1}}',
      "{}",
      "unknown patch type: map[toString:1] in map: map[$patch:map[toString:1]]",
    ],
    [
      '{"$setElementOrder/finalizers":"x"}',
      "{}",
      "expected a []interface {}, but received a string",
    ],
    [
      '{"$setElementOrder/finalizers":["a"],"finalizers":["b"]}',
      '{"finalizers":["a"]}',
      "The order in patch list:\n[b]\n doesn't match $setElementOrder list:\n[a]\n",
    ],
  ];
  for (const [patch, original, message] of refused)
    it(`refuses ${patch}`, () =>
      assert.throws(() => strategic(original, patch), { reason: "BadRequest", message }));
});

describe("strategic and merge patch, at random", () => {
  const random = new SeededRandom(9);
  const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)]!;
  const keys = [
    ["labels", "finalizers", "args", "containers", "strategy", "whole", "x", "name", "env"],
    ["$patch", "$retainKeys", "$setElementOrder/containers", "$setElementOrder/finalizers"],
    ["$deleteFromPrimitiveList/finalizers", "__proto__", "$setElementOrder"],
  ].flat();
  const scalars = ["a", "b", "delete", "replace", "merge", 1, null, true];

  function value(depth: number): unknown {
    const kind = depth === 0 ? 0 : random.integer(4);
    if (kind < 2) return pick(scalars);
    if (kind === 2) return Array.from({ length: random.integer(4) }, () => value(depth - 1));
    return record(depth);
  }
  function record(depth: number): JsonRecord {
    const entries = Array.from({ length: random.integer(5) }, () => [pick(keys), value(depth - 1)]);
    return Object.fromEntries(entries) as JsonRecord;
  }

  it("leaves its arguments alone and fails with a status only", () => {
    let applied = 0;
    for (let round = 0; round < 3000; round++) {
      const [original, patch] = [freeze(record(4)), freeze(record(4))];
      applyMergePatch(original, patch);
      try {
        applyStrategicMergePatch(original, patch, schemas.type("Root"), schemas);
        applied++;
      } catch (error) {
        assert.equal((error as { reason?: string }).reason, "BadRequest", String(error));
      }
    }
    assert.ok(applied > 500, String(applied));
  });

  it("a merge patch applied twice is as good as once", () => {
    for (let round = 0; round < 500; round++) {
      const [original, patch] = [freeze(record(3)), freeze(record(3))];
      const once = applyMergePatch(original, patch);
      assert.deepEqual(applyMergePatch(once, patch), once);
    }
  });
});

describe("merge patch", () => {
  const rows: readonly [string, string, string][] = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[1]}', '{"a":[null,{"b":null}]}', '{"a":[null,{}]}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ["{}", '{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
  ];
  for (const [original, patch, result] of rows)
    it(`${original} + ${patch}`, () =>
      assert.equal(
        JSON.stringify(
          applyMergePatch(freeze(JSON.parse(original) as JsonRecord), freeze(JSON.parse(patch))),
        ),
        result,
      ));

  it("refuses what is no object", () => {
    assert.throws(() => applyMergePatch({}, null), { message: "Invalid JSON Patch" });
    assert.throws(() => applyMergePatch({}, ["a"]), { reason: "BadRequest" });
  });
});

describe("JSON patch", () => {
  const apply = (original: string, ...operations: object[]): string =>
    JSON.stringify(applyJsonPatch(freeze(JSON.parse(original) as JsonRecord), freeze(operations)));
  const rows: readonly [string, readonly object[], string][] = [
    [
      '{"a":1}',
      [
        { op: "add", path: "/b", value: { c: 1 } },
        { op: "add", path: "/b/d", value: 2 },
      ],
      '{"a":1,"b":{"c":1,"d":2}}',
    ],
    ['{"a":[1,2]}', [{ op: "add", path: "/a/1", value: 9 }], '{"a":[1,9,2]}'],
    ['{"a":[1,2]}', [{ op: "add", path: "/a/-", value: 9 }], '{"a":[1,2,9]}'],
    ['{"a":[1,2]}', [{ op: "remove", path: "/a/-1" }], '{"a":[1]}'],
    ['{"a":[1,2]}', [{ op: "replace", path: "/a/0", value: null }], '{"a":[null,2]}'],
    ['{"a/b":{"~":1}}', [{ op: "remove", path: "/a~1b/~0" }], '{"a/b":{}}'],
    ['{"a":{"b":1},"c":{}}', [{ op: "move", from: "/a/b", path: "/c/d" }], '{"a":{},"c":{"d":1}}'],
    [
      '{"a":{"b":1}}',
      [
        { op: "copy", from: "/a", path: "/c" },
        { op: "add", path: "/c/x", value: 1 },
      ],
      '{"a":{"b":1},"c":{"b":1,"x":1}}',
    ],
    [
      '{"a":1}',
      [
        { op: "test", path: "/a", value: 1 },
        { op: "test", path: "/b", value: null },
      ],
      '{"a":1}',
    ],
    ['{"a":1}', [{ op: "replace", path: "", value: { b: 2 } }], '{"b":2}'],
    ["{}", [{ op: "add", path: "/__proto__", value: { x: 1 } }], '{"__proto__":{"x":1}}'],
  ];
  for (const [original, operations, result] of rows)
    it(`${JSON.stringify(operations)}`, () => assert.equal(apply(original, ...operations), result));

  const refused: readonly [object, string][] = [
    [
      { op: "remove", path: "/x" },
      "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
    ],
    [
      { op: "replace", path: "/x", value: 1 },
      "replace operation does not apply: doc is missing key: /x: missing value",
    ],
    [
      { op: "add", path: "/x/y", value: 1 },
      'add operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [
      { op: "add", path: "a", value: 1 },
      'add operation does not apply: doc is missing path: "a": missing value',
    ],
    [
      { op: "add", path: "/a/9", value: 1 },
      "error in add for path: '/a/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [{ op: "test", path: "/a", value: 2 }, "testing value /a failed: test failed"],
    [{ op: "jump", path: "/a" }, "Unexpected kind: jump"],
    [
      { op: "add" },
      "add operation failed to decode path: operation missing path field: missing value",
    ],
    [
      { op: "add", path: "/__proto__/x", value: 1 },
      'add operation does not apply: doc is missing path: "/__proto__/x": missing value',
    ],
    [{ op: "replace", path: "", value: [] }, "the patched document is not an object"],
  ];
  for (const [operation, why] of refused)
    it(`refuses ${JSON.stringify(operation)}`, () =>
      assert.throws(
        () => apply('{"a":[1]}', operation),
        (error: { reason: string; status: { details: unknown } }) => {
          assert.deepEqual(
            [error.reason, error.status.details],
            ["Invalid", { causes: [{ message: why }] }],
          );
          return true;
        },
      ));

  it("bounds operations and copies", () => {
    const add = { op: "add", path: "/a", value: 1 };
    assert.throws(() => apply("{}", ...new Array<object>(10_001).fill(add)), {
      reason: "RequestEntityTooLarge",
      message:
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
    const copies = new Array<object>(64).fill({ op: "copy", from: "/a", path: "/a/-" });
    assert.throws(() => apply('{"a":["xxxxxxxxxxxxxxxx"]}', ...copies), { reason: "Invalid" });
    assert.throws(() => applyJsonPatch({}, {}), { reason: "BadRequest" });
  });

  const list = { op: "add", path: "/a", value: new Array<number>(50_000).fill(0) };
  const slow: readonly (readonly [string, object])[] = [
    ["put in front of a long list", { op: "add", path: "/a/0", value: 1 }],
    ["taken from its front", { op: "remove", path: "/a/0" }],
    ["moved from front to back", { op: "move", from: "/a/0", path: "/a/-" }],
  ];
  for (const [name, operation] of slow)
    it(`bounds what is ${name}`, () =>
      assert.throws(() => apply("{}", list, ...new Array<object>(5000).fill(operation)), {
        reason: "RequestEntityTooLarge",
        message: /of values moved or compared by a JSON patch is 5000000$/,
      }));

  it("bounds what is compared with a large object", () => {
    const large = JSON.stringify(Object.fromEntries(list.value.map((_, at) => [`k${at}`, 0])));
    const test = { op: "test", path: "", value: {} };
    assert.throws(() => apply(large, test), { reason: "Invalid" });
    const present = { op: "test", path: "/a", value: JSON.parse(large) as unknown };
    assert.throws(() => apply(`{"a":${large}}`, ...new Array<object>(200).fill(present)), {
      reason: "RequestEntityTooLarge",
    });
  });

  it("makes nothing deeper than a body may be", () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { b: nested(depth - 1) });
    const doubling = Array.from({ length: 20 }, (_, at) => ({
      op: "copy",
      from: "/a",
      path: `/a${"/b".repeat(2 ** Math.min(at, 6))}`,
    }));
    assert.throws(() => apply("{}", { op: "add", path: "/a", value: nested(64) }, ...doubling), {
      reason: "Invalid",
    });
    const deeper = Array.from({ length: 40 }, (_, at) => ({
      op: "add",
      path: `/a${"/b".repeat(90 * at)}`,
      value: nested(90),
    }));
    assert.throws(() => apply("{}", ...deeper), { reason: "Invalid" });
  });

  it("random patches never change their arguments, nor fail but with a status", () => {
    const random = new SeededRandom(5);
    const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)]!;
    const paths = ["/a", "/a/0", "/a/-", "/b", "/b/c", "/b/c/d", "", "/a/-1", "/__proto__"];
    const values = [1, null, "x", [], { c: {} }, [{ d: 1 }]];
    const original = freeze({ a: [1, { x: 2 }], b: { c: { d: 1 } } });
    let applied = 0;
    for (let round = 0; round < 2000; round++) {
      const operations = freeze(
        Array.from({ length: 1 + random.integer(4) }, () => ({
          op: pick(["add", "remove", "replace", "move", "copy", "test"]),
          path: pick(paths),
          from: pick(paths),
          value: pick(values),
        })),
      );
      try {
        applyJsonPatch(original, operations);
        applied++;
      } catch (error) {
        assert.equal((error as { reason?: string }).reason, "Invalid", String(error));
      }
    }
    assert.ok(applied > 50, String(applied));
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});
