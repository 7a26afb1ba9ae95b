import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1RuntimeClass } from "../../gen/types.ts";
import { runtimeClassResource } from "./runtime-class.ts";

const { strategy } = runtimeClassResource;
const make = (parts: Partial<V1RuntimeClass>): V1RuntimeClass => ({
  metadata: { name: "r" },
  handler: "h",
  ...parts,
});

describe("a RuntimeClass", () => {
  const twice = { key: "a", operator: "Exists" };
  const rows: readonly (readonly [Partial<V1RuntimeClass>, ...string[]])[] = [
    [{}],
    [{ overhead: { podFixed: { cpu: "250m", memory: "64Mi" } } }],
    [{ handler: "" }, "handler Invalid"],
    [{ handler: "My.Handler" }, "handler Invalid"],
    [{ overhead: { podFixed: { cpu: "-1" } } }, "overhead.limits[cpu] Invalid"],
    [{ scheduling: { nodeSelector: { a: "!" } } }, "scheduling.nodeSelector Invalid"],
    [{ scheduling: { tolerations: [twice, twice] } }, "scheduling.tolerations[1] Duplicate"],
    [{ scheduling: { tolerations: [{}] } }, "scheduling.tolerations[0].operator Invalid"],
  ];
  for (const [parts, ...expected] of rows)
    it(`${JSON.stringify(parts)} → ${expected.join(", ") || "valid"}`, () => {
      const errors = strategy.validate(make(parts));
      assert.deepEqual([...new Set(errors.map(({ field, type }) => `${field} ${type}`))], expected);
    });

  it("keeps its handler", () => {
    const errors = strategy.validateUpdate(make({ handler: "other" }), make({}));
    assert.deepEqual(
      errors.map(({ field }) => field),
      ["handler"],
    );
    assert.deepEqual(strategy.validateUpdate(make({ scheduling: {} }), make({})), []);
  });
});
