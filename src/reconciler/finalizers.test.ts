import assert from "node:assert/strict";
import { it } from "node:test";
import { hasFinalizer, withFinalizer } from "./finalizers.ts";

const object = (...finalizers: string[]) => ({ metadata: { name: "o", finalizers } });

it("withFinalizer: the others stay, in order", () => {
  assert.deepEqual(withFinalizer(object("a", "b"), "c", true), object("a", "b", "c"));
  assert.deepEqual(withFinalizer(object("a", "b", "c"), "b", false), object("a", "c"));
  assert.deepEqual(withFinalizer({ metadata: { name: "o" } }, "a", true), object("a"));
});

it("withFinalizer: the object itself where nothing changes", () => {
  const one = object("a");
  assert.equal(withFinalizer(one, "a", true), one);
  assert.equal(withFinalizer(one, "b", false), one);
  assert.deepEqual([hasFinalizer(one, "a"), hasFinalizer({}, "a")], [true, false]);
});
