import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1LimitRangeItem } from "../../gen/types.ts";
import { limitRangeResource } from "./limit-range.ts";

const of = (item: Partial<V1LimitRangeItem>) => ({
  metadata: { name: "l", namespace: "d" },
  spec: { limits: [{ type: "Container", ...item }] },
});

describe("LimitRange", () => {
  it("derives the defaults of containers from their bounds", () => {
    const { spec } = limitRangeResource.strategy.withDefaults(
      of({ max: { cpu: "2", memory: "1Gi" }, min: { disk: "1" }, default: { cpu: "1" } }),
    );
    const [item] = spec!.limits;
    assert.deepEqual(item!.default, { cpu: "1", memory: "1Gi" });
    assert.deepEqual(item!.defaultRequest, { cpu: "1", memory: "1Gi", disk: "1" });
  });
  it("gives Pods no defaults", () => {
    const given = of({ type: "Pod", max: { cpu: "2" } });
    assert.equal(limitRangeResource.strategy.withDefaults(given), given);
  });

  const rows: readonly (readonly [string, Partial<V1LimitRangeItem>, readonly string[]])[] = [
    ["good", { max: { cpu: "1" }, min: { cpu: "1m" }, default: { cpu: "1" } }, []],
    [
      "a type of nobody",
      { type: "Shoe" },
      ["type must be a standard limit type or fully qualified"],
    ],
    ["a type of somebody", { type: "example.com/shoe" }, []],
    [
      "defaults of Pods",
      { type: "Pod", default: { cpu: "1" }, defaultRequest: { cpu: "1" } },
      [
        "default may not be specified when `type` is 'Pod'",
        "defaultRequest may not be specified when `type` is 'Pod'",
      ],
    ],
    [
      "claims without storage",
      { type: "PersistentVolumeClaim" },
      ["limits either minimum or maximum storage value is required, but neither was provided"],
    ],
    [
      "min above max",
      { min: { cpu: "2" }, max: { cpu: "1" } },
      ["min[cpu] min value 2 is greater than max value 1"],
    ],
    [
      "defaults above max",
      { max: { cpu: "1" }, default: { cpu: "3" }, defaultRequest: { cpu: "2" } },
      [
        "defaultRequest[cpu] default request value 2 is greater than max value 1",
        "default[cpu] default value 3 is greater than max value 1",
      ],
    ],
    [
      "default request above default",
      { default: { cpu: "1" }, defaultRequest: { cpu: "2" } },
      ["defaultRequest[cpu] default request value 2 is greater than default limit value 1"],
    ],
    [
      "min above the defaults",
      { min: { cpu: "3" }, default: { cpu: "2" }, defaultRequest: { cpu: "1" } },
      [
        "defaultRequest[cpu] min value 3 is greater than default request value 1",
        "default[cpu] min value 3 is greater than default value 2",
      ],
    ],
    [
      "a ratio below one",
      { maxLimitRequestRatio: { cpu: "0.5" } },
      ["maxLimitRequestRatio[cpu] ratio 0.5 is less than 1"],
    ],
    [
      "a ratio that cannot be",
      { min: { cpu: "1" }, max: { cpu: "2" }, maxLimitRequestRatio: { cpu: "3" } },
      ["maxLimitRequestRatio[cpu] ratio 3 is greater than max/min = 2.000000"],
    ],
    [
      "what cannot be promised twice",
      { default: { "example.com/gpu": "2" }, defaultRequest: { "example.com/gpu": "1" } },
      [
        "defaultRequest[example.com/gpu] default value 2 must equal to defaultRequest value 1 in example.com/gpu",
      ],
    ],
  ];
  for (const [what, item, wanted] of rows)
    it(`is validated: ${what}`, () => {
      const errors = limitRangeResource.strategy.validate(of(item));
      const shown = errors.map(
        ({ field, detail }) => `${field.replace("spec.limits[0].", "")} ${detail}`,
      );
      assert.deepEqual(shown, wanted);
    });
  it("has one item of a type", () => {
    const limits = [{ type: "Container" }, { type: "Container" }];
    const [error] = limitRangeResource.strategy.validate({ spec: { limits } });
    assert.deepEqual([error?.type, error?.field], ["Duplicate", "spec.limits[1].type"]);
  });
});
