import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import {
  compileFieldSelector,
  escapeFieldValue,
  fieldEquals,
  parseFieldSelector,
} from "./field-selector.ts";
import type { KubeObject } from "./object.ts";

interface Phased extends KubeObject {
  readonly phase: string;
}
const resource = { selectableFields: { "status.phase": (object: Phased) => object.phase } };
const running: Phased = { metadata: { name: "a", namespace: "n" }, phase: "Running" };

describe("field selector", () => {
  const rows: readonly [string, string, boolean][] = [
    ["", "", true],
    ["metadata.name=a", "metadata.name=a", true],
    ["metadata.name==b", "metadata.name=b", false],
    ["metadata.namespace!=n", "metadata.namespace!=n", false],
    ["status.phase=Running,metadata.name!=b", "metadata.name!=b,status.phase=Running", true],
    ["status.phase=", "status.phase=", false],
    [",,status.phase!=x,", "status.phase!=x", true],
  ];
  for (const [text, canonical, isMatch] of rows)
    it(JSON.stringify(text), () => {
      const selector = parseFieldSelector(text);
      assert.equal(selector.text, canonical);
      assert.equal(compileFieldSelector(selector, resource)(running), isMatch);
    });

  const refused: readonly [string, string][] = [
    ["a", "invalid selector: 'a'; can't understand 'a'"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
    ["a=\\x", "invalid field selector: invalid escape sequence: \\x"],
    ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
  ];
  for (const [text, message] of refused)
    it(`refuses ${text}`, () =>
      assert.throws(() => parseFieldSelector(text), { reason: "BadRequest", message }));

  it("refuses fields that the resource does not have", () => {
    const selector = parseFieldSelector("spec.x=1");
    assert.throws(() => compileFieldSelector(selector, resource), {
      message: "field label not supported: spec.x",
    });
    assert.throws(() => compileFieldSelector(selector, {}), {
      message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    });
    assert.throws(() => compileFieldSelector(parseFieldSelector("toString=1"), resource));
  });

  it("knows the one value that a field must have", () => {
    const selector = parseFieldSelector("metadata.name=a,status.phase!=b");
    assert.equal(selector.exactValue("metadata.name"), "a");
    assert.equal(selector.exactValue("status.phase"), undefined);
    assert.equal(fieldEquals("metadata.name", "x").text, "metadata.name=x");
  });

  it("escaped values read back", () => {
    const random = new SeededRandom(3);
    const letters = "a,=\\!é ";
    for (let round = 0; round < 500; round++) {
      let value = "";
      for (let i = random.integer(8); i > 0; i--) value += letters[random.integer(letters.length)];
      const selector = parseFieldSelector(`metadata.name=${escapeFieldValue(value)}`);
      assert.deepEqual(selector.terms, [{ field: "metadata.name", isEqual: true, value }]);
      assert.equal(parseFieldSelector(selector.text).text, selector.text);
    }
  });
});
