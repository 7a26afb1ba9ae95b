import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../../gen/types.ts";
import { podResource } from "./pod.ts";

const NOW = { now: 0, user: "u" };
const labelSelector = { matchLabels: { app: "web" } };

function created(spec: Partial<NonNullable<V1Pod["spec"]>>): V1Pod {
  const metadata = { name: "p", labels: { app: "web", "pod-template-hash": "h1", tenant: "t" } };
  return podResource.strategy.prepareForCreate(
    { metadata, spec: { containers: [], ...spec } },
    NOW,
  );
}

describe("a Pod that is made with label keys in its terms", () => {
  it("has its own values in the selectors of its affinity", () => {
    const term = {
      topologyKey: "zone",
      labelSelector,
      matchLabelKeys: ["pod-template-hash", "absent"],
      mismatchLabelKeys: ["tenant"],
    };
    const podAntiAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: [term],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
    };
    const { spec } = created({ affinity: { podAntiAffinity } });
    const merged = {
      ...term,
      labelSelector: {
        ...labelSelector,
        matchExpressions: [
          { key: "pod-template-hash", operator: "In", values: ["h1"] },
          { key: "tenant", operator: "NotIn", values: ["t"] },
        ],
      },
    };
    assert.deepEqual(spec!.affinity!.podAntiAffinity, {
      requiredDuringSchedulingIgnoredDuringExecution: [merged],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: merged }],
    });
  });

  it("has them in those of its spread constraints", () => {
    const constraint = {
      topologyKey: "zone",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector,
      matchLabelKeys: ["pod-template-hash"],
    };
    const [merged] = created({ topologySpreadConstraints: [constraint] }).spec!
      .topologySpreadConstraints!;
    assert.deepEqual(merged!.labelSelector!.matchExpressions, [
      { key: "pod-template-hash", operator: "In", values: ["h1"] },
    ]);
  });

  it("keeps its spec as it is, and shares it with others, when there are none", () => {
    const spec = { containers: [], topologySpreadConstraints: [] };
    const pod = { metadata: { name: "p", labels: { app: "web" } }, spec };
    assert.equal(podResource.strategy.prepareForCreate(pod, NOW).spec, spec);
  });
});
