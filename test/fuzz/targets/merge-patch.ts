import { deepFreeze } from "../../../src/base/deep-freeze.ts";
import { equalJson } from "../../../src/api/machinery/equality.ts";
import { isRecord, type JsonRecord } from "../../../src/api/machinery/json-value.ts";
import { applyMergePatch } from "../../../src/api/machinery/merge-patch.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyRecord, anyValue, record } from "../json-values.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly object: JsonRecord;
  readonly patch: unknown;
  readonly expected?: JsonRecord;
}

/** Merge patches: an object or a refusal, the original untouched, twice is once, and from one object to any other. */
export const mergePatch: FuzzTarget = {
  name: "merge-patch",
  runs: 2000,
  make(draw) {
    const object = anyRecord(draw);
    if (draw.chance(60)) return inputOf({ object, patch: anyValue(draw) });
    const expected = withoutNulls(anyRecord(draw)) as JsonRecord;
    return inputOf({ object, patch: difference(object, expected), expected });
  },
  check(input) {
    const { object, patch, expected } = parts<Input>(input);
    deepFreeze(object);
    deepFreeze(patch);
    const result = valueUnless([StatusError], () => applyMergePatch(object, patch));
    if (expected) assertSameJson(result, expected);
    if (result) assertSameJson(applyMergePatch(deepFreeze(result), patch), result);
  },
};

/** What a merge patch can express: null means "gone". */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return record(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

/** A patch that makes `to` of `from`. */
function difference(from: JsonRecord, to: JsonRecord): JsonRecord {
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const changed = Object.entries(to).filter(
    ([key, value]) => !Object.hasOwn(from, key) || !equalJson(from[key], value),
  );
  return record([
    ...gone.map((key) => [key, null] as const),
    ...changed.map(
      ([key, value]) => [key, changeOf(Object.hasOwn(from, key) ? from[key] : 0, value)] as const,
    ),
  ]);
}

function changeOf(from: unknown, to: unknown): unknown {
  return isRecord(from) && isRecord(to) ? difference(from, to) : to;
}
