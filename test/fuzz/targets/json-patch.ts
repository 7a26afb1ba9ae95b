import assert from "node:assert/strict";
import { deepFreeze } from "../../../src/base/deep-freeze.ts";
import { applyJsonPatch } from "../../../src/api/machinery/json-patch.ts";
import type { JsonRecord } from "../../../src/api/machinery/json-value.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import type { Draw } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyRecord, anyValue } from "../json-values.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly object: JsonRecord;
  readonly patch: unknown;
  /** What must come out, where that is known. */
  readonly expected?: JsonRecord;
}

/** JSON patches: an object or a refusal, the original untouched, and from one object to any other. */
export const jsonPatch: FuzzTarget = {
  name: "json-patch",
  runs: 2000,
  make(draw) {
    const object = anyRecord(draw);
    if (draw.chance(30)) {
      const expected = anyRecord(draw);
      return inputOf({ object, patch: difference(object, expected), expected });
    }
    const patch = draw.chance(95) ? operations(draw, object) : anyValue(draw);
    return inputOf({ object, patch });
  },
  check(input) {
    const { object, patch, expected } = parts<Input>(input);
    deepFreeze(object);
    deepFreeze(patch);
    const result = valueUnless([StatusError], () => applyJsonPatch(object, patch));
    if (expected) assertSameJson(result, expected);
    if (result) assertSameJson(JSON.parse(JSON.stringify(result)), result);
    if (result) assert.ok(!Object.isFrozen(result), "shares the original");
  },
};

function operations(draw: Draw, object: JsonRecord): unknown[] {
  return draw.times(draw.size(12), () => {
    const op = draw.pick(["add", "remove", "replace", "move", "copy", "copy", "test", draw.text()]);
    return {
      op,
      path: pointer(draw, object),
      ...(draw.chance(60) && { from: pointer(draw, object) }),
      ...(draw.chance(80) && { value: anyValue(draw, 2) }),
    };
  });
}

/** A place in the object, mostly one that is there. */
function pointer(draw: Draw, object: unknown): unknown {
  if (draw.chance(3)) return anyValue(draw, 1);
  let path = "";
  let value = object;
  for (let left = draw.integer(4); left >= 0; left--) {
    const isObject = typeof value === "object" && value !== null;
    const keys = isObject ? Object.keys(value as object) : [];
    const key =
      draw.chance(20) || keys.length === 0 ? draw.pick([draw.key(), "-"]) : draw.pick(keys);
    path += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    value =
      isObject && Object.hasOwn(value as object, key) ? (value as JsonRecord)[key] : undefined;
  }
  return path;
}

/** A patch that makes `to` of `from`. */
function difference(from: JsonRecord, to: JsonRecord): unknown[] {
  const path = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  return [
    ...gone.map((key) => ({ op: "remove", path: path(key) })),
    ...Object.entries(to).map(([key, value]) => ({ op: "add", path: path(key), value })),
  ];
}
