import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import {
  priorityClassResource,
  systemPriorityClasses,
  type PriorityClass,
} from "./priority-class.ts";

const { strategy, columns } = priorityClassResource;
const make = (parts: Partial<PriorityClass>, name = "c"): PriorityClass =>
  strategy.withDefaults({ metadata: { name }, value: 1, ...parts });

describe("a PriorityClass", () => {
  const reserved = (why: string): string =>
    "metadata.name Forbidden: priority class names with 'system-' prefix are reserved for system use only. " +
    `error: ${why}`;
  const tooHigh = "value Forbidden: maximum allowed value of a user defined priority is 1000000000";
  const policies = 'supported values: "PreemptLowerPriority", "Never"';
  const unknown = "system-mine is not a known system priority class";
  const otherValue = "value of system-node-critical PriorityClass must be 2000001000";
  const isDefault = "globalDefault of system-cluster-critical PriorityClass must be false";
  const cluster = { value: 2_000_000_000, globalDefault: true };
  const rows: readonly (readonly [string, PriorityClass, ...string[]])[] = [
    ["of the highest user priority", make({ value: 1_000_000_000 })],
    ["below zero", make({ value: -5 })],
    ["too high", make({ value: 1_000_000_001 }), tooHigh],
    ["with a policy of its own", make({ preemptionPolicy: "Never" })],
    [
      "with a policy that is none",
      make({ preemptionPolicy: "Always" }),
      `preemptionPolicy NotSupported: ${policies}`,
    ],
    ["the system's own", systemPriorityClasses[0]!],
    ["a system name of one's own", make({}, "system-mine"), reserved(unknown)],
    ["a system name at another value", make({}, "system-node-critical"), reserved(otherValue)],
    ["a system name as default", make(cluster, "system-cluster-critical"), reserved(isDefault)],
  ];
  for (const [what, object, ...expected] of rows)
    it(`${what}: ${expected.length === 0 ? "valid" : "refused"}`, () =>
      assert.deepEqual(errorLines(strategy.validate(object)), expected));

  it("preempts by default, and changes neither its value nor that", () => {
    assert.equal(make({}).preemptionPolicy, "PreemptLowerPriority");
    const changed = make({ value: 2, preemptionPolicy: "Never", description: "d" });
    assert.deepEqual(errorLines(strategy.validateUpdate(changed, make({}))), [
      "value Forbidden: may not be changed in an update.",
      "preemptionPolicy Invalid: field is immutable",
    ]);
    assert.deepEqual(strategy.validateUpdate(make({ globalDefault: true }), make({})), []);
  });

  it("shows value, default and policy", () => {
    const cells = columns.filter(({ name }) => name !== "Age").map(({ cell }) => cell(make({}), 0));
    assert.deepEqual(cells, ["c", 1, false, "PreemptLowerPriority"]);
  });
});
