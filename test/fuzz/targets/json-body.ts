import assert from "node:assert/strict";
import { DecodeError, decodeJson } from "../../../src/api/machinery/yaml.ts";
import { mutated, type Draw } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyRecord, deepText } from "../json-values.ts";
import type { FuzzTarget } from "../target.ts";

/** JSON bodies: taken exactly when they are JSON within bounds, with no number rounded and every repeated field named. */
export const jsonBody: FuzzTarget = {
  name: "json-body",
  runs: 1500,
  make(draw) {
    const text = draw.chance(5) ? deepText(draw, 90 + draw.integer(20)) : textOf(draw);
    const bytes = Buffer.from(text);
    return draw.chance(40) ? mutated(draw, bytes) : bytes;
  },
  check(input) {
    const text = input.toString();
    const decoded = valueUnless([DecodeError], () => decodeJson(text));
    const expected = parsed(text);
    if (!decoded) return assert.ok(isOutOfBounds(text, expected), "refused without reason");
    assert.notEqual(expected, INVALID);
    assertSameJson(decoded.value, expected);
    const again = decodeJson(JSON.stringify(decoded.value));
    assertSameJson(again.value, expected);
    assert.deepEqual(again.duplicateFields, []);
    assert.deepEqual(new Set(decoded.duplicateFields).size, decoded.duplicateFields.length);
    if (decoded.duplicateFields.length === 0) assertNothingLost(text, decoded.value);
  },
};

/** JSON as people and machines write it: blanks, escapes, fields twice. */
function textOf(draw: Draw): string {
  const value = anyRecord(draw);
  const text = JSON.stringify(value, undefined, draw.pick([undefined, 1, "\t"]));
  const [field, other] = [JSON.stringify(draw.key()), JSON.stringify(draw.text())];
  if (draw.chance(30)) return text.replace("{", `{${field} : ${other},`);
  if (draw.chance(20)) return text.replace("{", `{${field}:${draw.text()},`);
  return draw.chance(20) ? `[${text},${text}]` : text;
}

const INVALID = Symbol("no JSON");

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return INVALID;
  }
}

/** Too deep, or with an integer that was rounded. */
function isOutOfBounds(text: string, value: unknown): boolean {
  return value === INVALID || depthOf(value) > 100 || /[0-9]{16}/.test(text);
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce((most: number, item) => Math.max(most, depthOf(item)), 0);
}

/** As many keys came out as the text has: those are its strings with a colon behind. */
function assertNothingLost(text: string, value: unknown): void {
  const strings = [...text.matchAll(/"(?:[^"\\]|\\.)*"([ \t\r\n]*:)?/g)];
  const keys = strings.filter(([, colon]) => colon !== undefined).length;
  assert.equal(countKeys(value), keys, "a field was lost in silence");
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, item) => sum + countKeys(item), own);
}
