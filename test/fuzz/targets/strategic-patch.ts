import { deepFreeze } from "../../../src/base/deep-freeze.ts";
import type { JsonRecord } from "../../../src/api/machinery/json-value.ts";
import { StatusError } from "../../../src/api/machinery/status-error.ts";
import { applyStrategicMergePatch } from "../../../src/api/machinery/strategic-merge-patch.ts";
import type { Draw } from "../draw.ts";
import { assertSameJson, valueUnless } from "../expect.ts";
import { anyValue, typedRecord } from "../json-values.ts";
import { KINDS, schemas, typeOf } from "../kinds.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";

interface Input {
  readonly kind: string;
  readonly object: JsonRecord;
  readonly patch: unknown;
}

/** Strategic merge patches: an object or a refusal, nothing changed on the way, and an empty patch changes nothing. */
export const strategicPatch: FuzzTarget = {
  name: "strategic-patch",
  runs: 1500,
  make(draw) {
    const kind = draw.pick(KINDS);
    const made = (): JsonRecord => typedRecord(draw, schemas, typeOf(kind), draw.pick([0, 5]));
    const patch = draw.chance(95) ? directed(draw, made()) : anyValue(draw);
    return inputOf({ kind, object: made(), patch });
  },
  check(input) {
    const { kind, object, patch } = parts<Input>(input);
    deepFreeze(object);
    deepFreeze(patch);
    const type = typeOf(kind);
    const result = valueUnless([StatusError], () =>
      applyStrategicMergePatch(object, patch, type, schemas),
    );
    if (!result) return;
    assertSameJson(JSON.parse(JSON.stringify(result)), result);
    assertSameJson(applyStrategicMergePatch(result, {}, type, schemas), result);
  },
};

/** `value` with directives put in at some places. */
function directed(draw: Draw, value: JsonRecord): unknown {
  const out: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, inner(draw, item)]),
  );
  if (draw.chance(15)) out["$patch"] = draw.pick(["delete", "replace", "merge", draw.text()]);
  if (draw.chance(10)) out["$retainKeys"] = draw.pick([Object.keys(value), anyValue(draw, 1)]);
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(item)) continue;
    if (draw.chance(20)) out[`$setElementOrder/${key}`] = draw.pick([item, anyValue(draw, 2)]);
    if (draw.chance(10)) out[`$deleteFromPrimitiveList/${key}`] = item;
  }
  return out;
}

function inner(draw: Draw, value: unknown): unknown {
  if (draw.chance(5)) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => inner(draw, item));
  return typeof value === "object" && value !== null ? directed(draw, value as JsonRecord) : value;
}
