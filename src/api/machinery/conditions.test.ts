import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  equalConditions,
  findCondition,
  isConditionFalse,
  isConditionTrue,
  removeCondition,
  setCondition,
  withCondition,
} from "./conditions.ts";
import type { Condition } from "./conditions.ts";

const EARLY = "2026-01-01T00:00:00Z";
const LATE = "2026-01-02T00:00:00Z";
const now = Date.parse(LATE);
const ready: Condition = { type: "Ready", status: "True", lastTransitionTime: EARLY, reason: "a" };
const other: Condition = { type: "Other", status: "Unknown", lastTransitionTime: EARLY };

describe("conditions", () => {
  it("a new one is added at the end, with the time", () => {
    const list = setCondition([other], { type: "Ready", status: "True" }, now);
    assert.deepEqual(list, [other, { type: "Ready", status: "True", lastTransitionTime: LATE }]);
    assert.equal(setCondition(undefined, ready, now)[0]!.lastTransitionTime, EARLY);
  });

  it("the time moves with the status", () => {
    const list = setCondition([ready, other], { type: "Ready", status: "False" }, now);
    assert.deepEqual(list[0], { type: "Ready", status: "False", lastTransitionTime: LATE });
  });

  it("the time stays when only the reason changes", () => {
    const list = setCondition([ready], { type: "Ready", status: "True", reason: "b" }, now);
    assert.deepEqual(list, [{ ...ready, reason: "b" }]);
  });

  it("nothing new gives the same list", () => {
    const list = [ready, other];
    assert.equal(setCondition(list, { type: "Ready", status: "True", reason: "a" }, now), list);
    assert.equal(removeCondition(list, "None"), list);
  });

  it("are found, asked and removed", () => {
    assert.equal(findCondition([ready], "Ready"), ready);
    assert.equal(findCondition(undefined, "Ready"), undefined);
    assert.deepEqual(
      [isConditionTrue([ready], "Ready"), isConditionFalse([ready], "Ready")],
      [true, false],
    );
    assert.deepEqual(
      [isConditionTrue([other], "Other"), isConditionFalse([other], "Other")],
      [false, false],
    );
    assert.deepEqual(removeCondition([ready, other], "Ready"), [other]);
  });

  it("of workloads keep their message while status and reason stay, and go to the end when not", () => {
    const list = [ready, other];
    assert.equal(
      withCondition(list, { type: "Ready", status: "True", reason: "a", message: "new" }, now),
      list,
    );
    assert.deepEqual(withCondition(list, { type: "Ready", status: "True", reason: "b" }, now), [
      other,
      { type: "Ready", status: "True", reason: "b", lastTransitionTime: EARLY },
    ]);
    assert.deepEqual(withCondition(list, { type: "Ready", status: "False" }, now).at(-1), {
      type: "Ready",
      status: "False",
      lastTransitionTime: LATE,
    });
  });

  it("compare without times", () => {
    assert.equal(equalConditions(ready, { ...ready, lastTransitionTime: LATE } as Condition), true);
    assert.equal(equalConditions(ready, { ...ready, reason: "b" } as Condition), false);
  });
});
