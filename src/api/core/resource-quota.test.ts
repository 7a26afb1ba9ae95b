import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1ResourceQuotaSpec } from "../../gen/types.ts";
import { resourceQuotaResource } from "./resource-quota.ts";

const { strategy, columns } = resourceQuotaResource;

describe("ResourceQuota", () => {
  const of = (spec: V1ResourceQuotaSpec) => ({ metadata: { name: "q", namespace: "d" }, spec });
  const rows: readonly (readonly [string, V1ResourceQuotaSpec, readonly string[]])[] = [
    ["good", { hard: { pods: "1", "requests.cpu": "500m", "count/deployments.apps": "2" } }, []],
    [
      "a name of nobody",
      { hard: { shoes: "1" } },
      ["spec.hard[shoes] must be a standard resource for quota"],
    ],
    ["half a Pod", { hard: { pods: "500m" } }, ["spec.hard[pods] must be an integer"]],
    [
      "less than nothing",
      { hard: { cpu: "-1" } },
      ["spec.hard[cpu] must be greater than or equal to 0"],
    ],
    ["an unknown scope", { scopes: ["Blue"] }, ["spec.scopes unsupported scope"]],
    [
      "a scope that cannot choose",
      { hard: { services: "1", pods: "1" }, scopes: ["Terminating"] },
      ["spec.scopes unsupported scope applied to resource"],
    ],
    [
      "scopes that exclude each other",
      { scopes: ["BestEffort", "NotBestEffort"] },
      ["spec.scopes conflicting scopes"],
    ],
    [
      "a selector without values",
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In" }] } },
      [
        "spec.scopeSelector.matchExpressions[0].values must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
  ];
  for (const [what, spec, wanted] of rows)
    it(`is validated: ${what}`, () => {
      const shown = strategy.validate(of(spec)).map(({ field, detail }) => `${field} ${detail}`);
      assert.deepEqual(shown, wanted);
    });

  it("keeps its scopes", () => {
    const errors = strategy.validateUpdate(of({ scopes: ["BestEffort"] }), of({}));
    assert.deepEqual(
      errors.map(({ field }) => field),
      ["spec.scopes"],
    );
  });
  it("shows what is used of what", () => {
    const hard = { "requests.cpu": "1", pods: "10", "limits.cpu": "2" };
    const quota = { ...of({ hard }), status: { hard, used: { pods: "3", "limits.cpu": "500m" } } };
    const cells = columns.map(({ cell }) => cell(quota, 0));
    assert.deepEqual(cells.slice(1, 3), ["pods: 3/10, requests.cpu: 0/1", "limits.cpu: 500m/2"]);
  });
});
