import assert from "node:assert/strict";
import { deepFreeze } from "../../../src/base/deep-freeze.ts";
import { conform } from "../../../src/api/machinery/conform.ts";
import { inputOf, parts, type FuzzTarget } from "../target.ts";
import { assertSameJson } from "../expect.ts";
import { anyRecord, typedRecord } from "../json-values.ts";
import { KINDS, schemas, typeOf } from "../kinds.ts";

interface Input {
  readonly kind: string;
  readonly value: unknown;
}

/** Fitting a document to its type: a value or a message, the same when fitted again, nothing changed on the way. */
export const typedValue: FuzzTarget = {
  name: "typed-value",
  runs: 1500,
  make(draw) {
    const kind = draw.pick(KINDS);
    const wrongPercent = draw.pick([0, 3, 15]);
    const value = draw.chance(90)
      ? typedRecord(draw, schemas, typeOf(kind), wrongPercent)
      : anyRecord(draw);
    return inputOf({ kind, value });
  },
  check(input) {
    const { kind, value } = parts<Input>(input);
    const type = typeOf(kind);
    const result = conform(schemas, type, deepFreeze(value));
    if (!result.isOk) return assert.notEqual(result.message, "");
    const again = conform(schemas, type, deepFreeze(result.value));
    assert.ok(again.isOk, JSON.stringify(again));
    assert.deepEqual(again.strictErrors, []);
    assert.equal(JSON.stringify(again.value), JSON.stringify(result.value));
    assertSameJson(JSON.parse(JSON.stringify(result.value)), result.value);
  },
};
