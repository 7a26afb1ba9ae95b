import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1PodDisruptionBudget } from "../../gen/types.ts";
import { explainBudget } from "./budget.ts";

const budget = (spec: object, status: object, namespace = "default"): V1PodDisruptionBudget =>
  ({
    metadata: { name: "b", namespace, generation: 1 },
    spec,
    status: { observedGeneration: 1, ...status },
  }) as unknown as V1PodDisruptionBudget;

const counts = (allowed: number, current: number, desired: number, expected: number): object => ({
  disruptionsAllowed: allowed,
  currentHealthy: current,
  desiredHealthy: desired,
  expectedPods: expected,
});

describe("explainBudget", () => {
  const failed = { type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: "x" };
  for (const [what, subject, ...expected] of [
    [
      "one that can spare Pods",
      budget({ minAvailable: 1 }, counts(2, 3, 1, 3)),
      "It lets 2 more Pods be evicted: of 3 Pods 1 must be healthy (minAvailable 1), and 3 are.",
    ],
    [
      "one that asks for all",
      budget({ minAvailable: 2 }, counts(0, 2, 2, 2)),
      "It lets no Pod be evicted, so a drain waits.",
      "of 2 Pods 2 must be healthy (minAvailable 2), and 2 are",
      "more replicas, or a budget that can do without one of them",
    ],
    [
      "one whose Pods are not well",
      budget({ maxUnavailable: "30%" }, counts(0, 2, 2, 3)),
      "It lets no Pod be evicted, so a drain waits.",
      "of 3 Pods 2 must be healthy (maxUnavailable 30%), and 2 are",
      "its other Pods would have to be ready: kubectl get pods",
    ],
    [
      "one that selects nothing",
      budget({}, counts(0, 0, 0, 0)),
      "Its selector finds no Pods.",
      "nothing is protected",
      "kubectl get pods --show-labels",
    ],
    [
      "one of another namespace whose Pods are not well",
      budget({ maxUnavailable: 1 }, counts(0, 1, 2, 3), "shop"),
      "It lets no Pod be evicted, so a drain waits.",
      "of 3 Pods 2 must be healthy (maxUnavailable 1), and 1 are",
      "its other Pods would have to be ready: kubectl get pods -n shop",
    ],
    [
      "one of another namespace that selects nothing",
      budget({}, counts(0, 0, 0, 0), "shop"),
      "Its selector finds no Pods.",
      "nothing is protected",
      "kubectl get pods --show-labels -n shop",
    ],
    [
      "one of Pods without a scale",
      budget({}, { ...counts(0, 1, 1, 1), conditions: [failed] }),
      "It lets no Pod be evicted: what its Pods belong to is not known.",
      "SyncFailed: x",
    ],
    ["a new one", budget({}, { observedGeneration: 0 }), "Its last change has not been seen yet."],
  ] as const)
    it(what, () => {
      const { summary, findings } = explainBudget(subject);
      const lines = findings.flatMap(({ problem, remedy }) => [
        problem,
        ...(remedy ? [remedy] : []),
      ]);
      assert.deepEqual([summary, ...lines], expected);
    });
});
