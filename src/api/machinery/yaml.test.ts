import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DecodeError,
  decodeJson,
  decodeYaml,
  decodeYamlDocuments,
  undecodableBody,
} from "./yaml.ts";

describe("YAML", () => {
  const rows: readonly [string, unknown][] = [
    ["a: 1\nb: [x, 'y']\n", { a: 1, b: ["x", "y"] }],
    ["mode: 0644", { mode: 420 }],
    ["mode: 0x1F", { mode: 31 }],
    ["a: on\nb: no\nc: 'yes'", { a: true, b: false, c: "yes" }],
    ["port: 22:22", { port: "22:22" }],
    [
      "at: 2026-01-01T00:00:00Z\nday: 2026-01-01",
      { at: "2026-01-01T00:00:00Z", day: "2026-01-01" },
    ],
    ["a: 1.50\nb: 1e3\nc: '1e3'", { a: 1.5, b: 1000, c: "1e3" }],
    ["a: 9007199254740991", { a: 9007199254740991 }],
    ["a: ~\nb:", { a: null, b: null }],
    ["a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2", { a: { k: 1 }, b: { k: 1 }, c: { k: 1, l: 2 } }],
    ["1: a\ntrue: b", { 1: "a", true: "b" }],
    ["a: |\n  x\n   y\n", { a: "x\n y\n" }],
    ['{"a": 1}', { a: 1 }],
    ["{a: 1}", { a: 1 }],
    ["", null],
  ];
  for (const [text, value] of rows)
    it(JSON.stringify(text), () => assert.deepEqual(decodeYaml(text).value, value));

  it("__proto__ is a key like others", () => {
    const value = decodeYaml("__proto__: {x: 1}").value as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.keys(value), ["__proto__"]);
  });

  it("documents, without the empty ones", () => {
    const documents = decodeYamlDocuments("---\na: 1\n---\n# nothing\n---\nb: 2\n");
    assert.deepEqual(
      documents.map(({ value }) => value),
      [{ a: 1 }, { b: 2 }],
    );
  });

  it("names fields that occur twice; the last counts", () => {
    assert.deepEqual(decodeYaml("a: 1\nb: 2\na: 3"), {
      value: { a: 3, b: 2 },
      duplicateFields: ["a"],
    });
  });

  const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  const refused: readonly [string, string, RegExp][] = [
    ["a tab", "a:\n\t- b", /^error converting YAML to JSON: yaml: line 2: /],
    ["bad nesting", "a: b: c", /^error converting YAML to JSON: yaml: line 1: /],
    ["aliases that explode", bomb.join("\n"), /yaml: document contains excessive aliasing$/],
    ["depth in flow", "[".repeat(3000) + "]".repeat(3000), /exceeded max depth/],
    ["depth in blocks", "- ".repeat(300) + "x", /exceeded max depth/],
    ["infinity", "a: .inf", /^json: unsupported value: \+Inf$/],
    ["rounded numbers", "a: 9223372036854775807", /^number 9223372036854775807 cannot be kept/],
    ["a merge of what is no map", "<<: true", /yaml: Merge sources must be maps/],
    ["unknown anchors", "a: *b", /yaml: unknown anchor 'b' referenced$/],
  ];
  for (const [name, text, message] of refused)
    it(`refuses ${name}`, () =>
      assert.throws(() => decodeYaml(text), { name: "DecodeError", message }));
});

describe("JSON", () => {
  it("names fields that occur twice, by path", () => {
    const text = '{"a":{"b":1,"c":[{"d":1},{"d":1,"d":"x\\":"}],"b":2},"e":{"b":1}}';
    assert.deepEqual(decodeJson(text).duplicateFields, ["a.c[1].d", "a.b"]);
    assert.deepEqual(decodeJson('{"a":"x\\":y","b" : 1}').duplicateFields, []);
    assert.deepEqual(decodeJson('{"a" :1,"a" :2,"b":"\\":"}').duplicateFields, ["a"]);
    assert.deepEqual(decodeJson('{"a":1,"\\u0061":2}').duplicateFields, ["a"]);
  });

  const refused: readonly [string, string][] = [
    ["", "unexpected end of JSON input"],
    ['{"a":', "unexpected end of JSON input"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ["[1,x]", "invalid character 'x' looking for beginning of value"],
    [
      "[12345678901234567890]",
      "number 12345678901234567890 cannot be kept exactly: integers go up to 2^53",
    ],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ["{} {}", "invalid character '{' after top-level value"],
    ["[".repeat(200) + "]".repeat(200), "json: exceeded max depth"],
  ];
  for (const [text, message] of refused)
    it(`refuses ${text.slice(0, 20)}`, () => assert.throws(() => decodeJson(text), { message }));

  it("keeps long digits in texts, fractions and what is exact", () => {
    const text = '{"a":"12345678901234567890","b":0.12345678901234567,"c":100000000000000000000}';
    assert.equal((decodeJson(text).value as { c: number }).c, 1e20);
  });

  it("survives very deep and very long texts", () => {
    assert.throws(() => decodeJson("[".repeat(1_000_000)), { message: "json: exceeded max depth" });
    assert.throws(() => decodeJson("[".repeat(100)), DecodeError);
    const text = `{"a":"${"\\\\".repeat(500_000)}","a":1}`;
    assert.deepEqual(decodeJson(text).duplicateFields, ["a"]);
  });
});

describe("a long document", () => {
  it("in YAML is refused, in JSON it is not", () => {
    const message = /limit is 262144 characters of YAML; JSON may be longer$/;
    for (const text of [`a: ${"x".repeat(300_000)}`, "\n".repeat(300_000)])
      assert.throws(() => decodeYaml(text), { reason: "RequestEntityTooLarge", message });
    const json = `{"a":"${"x".repeat(300_000)}"}`;
    assert.equal(JSON.stringify(decodeYaml(json).value), json);
    assert.throws(() => decodeYaml(json.slice(0, -1)), { name: "DecodeError" });
  });

  it("of many keys is read once, not once for each key", () => {
    const map = Array.from({ length: 20_000 }, (_, at) => `a${at}: x`).join("\n");
    const start = process.cpuUsage();
    assert.deepEqual(decodeYaml(`${map}\na7: x`).duplicateFields, ["a7"]);
    // About 0.3 s; with each key compared to all before it, 10 s.
    assert.ok(process.cpuUsage(start).user < 3e6);
  });

  it("of one number is refused as soon", () => {
    assert.throws(() => decodeYaml("9".repeat(200_000)), /a number of over 300 digits/);
  });
});

describe("a document of too many values", () => {
  const tooMany = { reason: "RequestEntityTooLarge", message: /limit is 50000 values$/ };
  const list = (count: number): string => `[${"0,".repeat(count - 2)}0]`;
  it("is refused, in JSON and in YAML", () => {
    assert.equal((decodeJson(list(50_000)).value as unknown[]).length, 49_999);
    assert.throws(() => decodeJson(list(50_001)), tooMany);
    assert.throws(() => decodeYaml("- \n".repeat(50_000)), tooMany);
  });
});

describe("the answer to an undecodable body", () => {
  const message = (body: string): string =>
    undecodableBody("Pod", new DecodeError("x"), Buffer.from(body)).message;
  const head =
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: x";
  it("shows how the body begins", () => {
    assert.equal(message(""), `${head} (<empty>)`);
    assert.equal(message("{a"), `${head} ({a)`);
    assert.equal(message("abc"), `${head} (616263)`);
    assert.equal(message(`{${"a".repeat(40)}`), `${head} ({${"a".repeat(29)} ...)`);
  });
});
