import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1DaemonSet, V1Pod, V1PodDisruptionBudget } from "../../../src/gen/types.ts";
import { namespace, node, pod } from "../../support/builders.ts";
import { emptyHistory, type History } from "../world/history.ts";
import { budgets } from "./budgets.ts";
import { daemonLimits } from "./daemon-limits.ts";
import { Story } from "./story.ts";

const READY = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" };
const ENDING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

function running(name: string, parts: object = {}, conditions: object[] = []): V1Pod {
  const base = pod(name, { metadata: { labels: { app: "web" }, ...parts } });
  return {
    ...base,
    spec: { ...base.spec!, nodeName: `node-of-${name}` },
    status: { phase: "Running", conditions: [READY, ...conditions] as never },
  };
}

describe("budgets checker", () => {
  const EVICTED = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" };
  const world = (minAvailable: number): Story => {
    const story = new Story();
    story.put("policy/poddisruptionbudgets", {
      metadata: { name: "web", namespace: "default", generation: 1 },
      spec: { minAvailable, selector: { matchLabels: { app: "web" } } },
      status: { currentHealthy: 1, observedGeneration: 1 },
    } as V1PodDisruptionBudget);
    for (const name of ["a", "b", "c"]) story.put("pods", running(name));
    return story;
  };

  it("tells of an eviction that was not to spare, and of a count that is wrong", () => {
    const story = world(2);
    story.put("pods", running("a", ENDING, [EVICTED]));
    assert.deepEqual(budgets.check!(story.with()), []);
    story.put("pods", running("b", ENDING, [EVICTED]));
    assert.match(
      budgets.check!(story.with()).join(),
      /default\/b was evicted at 6 against default\/web/,
    );
    assert.deepEqual(budgets.checkAtRest!(story.with()), []);
    story.remove("pods", "default/c");
    assert.match(budgets.checkAtRest!(story.with()).join(), /counts 1 healthy pods of 0/);
  });

  it("leaves Pods alone that somebody deletes", () => {
    const story = world(3);
    story.put("pods", running("a", ENDING));
    assert.deepEqual(budgets.check!(story.with()), []);
  });
});

describe("daemon limits checker", () => {
  const ownerReferences = [
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      name: "agent",
      uid: "uid-of-agent",
      controller: true,
    },
  ];
  const world = (maxUnavailable: number | string): Story => {
    const story = new Story();
    story.put("namespaces", namespace());
    for (const name of ["a", "b"]) story.put("nodes", node(`node-of-${name}`));
    story.put("apps/daemonsets", {
      metadata: { name: "agent", namespace: "default" },
      spec: { updateStrategy: { rollingUpdate: { maxUnavailable } } },
      status: { desiredNumberScheduled: 2 },
    } as V1DaemonSet);
    for (const name of ["a", "b"]) story.put("pods", running(name, { ownerReferences }));
    return story;
  };

  it("tells of a working Pod that is taken while too many nodes are without", () => {
    const story = world(1);
    story.put("pods", running("a", { ownerReferences, ...ENDING }));
    assert.deepEqual(daemonLimits.check!(story.with()), []);
    story.put("pods", running("b", { ownerReferences, ...ENDING }));
    assert.match(daemonLimits.check!(story.with()).join(), /default\/b was taken away at 8/);
    const both = world("100%");
    for (const name of ["a", "b"]) both.put("pods", running(name, { ownerReferences, ...ENDING }));
    assert.deepEqual(daemonLimits.check!(both.with()), []);
  });

  it("does not count one that its controller may have thought useless: ready only now, or not for long enough", () => {
    const taken = (minReadySeconds: number, parts: Partial<History["facts"]> = {}): number => {
      const story = world(1);
      const [set] = story.changes.flatMap(({ resource, object }) =>
        resource === "apps/daemonsets" ? [object as V1DaemonSet] : [],
      );
      story.put("apps/daemonsets", { ...set!, spec: { ...set!.spec!, minReadySeconds } });
      for (const name of ["a", "b"])
        story.put("pods", running(name, { ownerReferences, ...ENDING }));
      return daemonLimits.check!(story.with({ facts: { ...emptyHistory.facts, ...parts } })).length;
    };
    assert.equal(taken(0), 1);
    assert.equal(taken(0, { staleMs: 4000 }), 0);
    assert.equal(taken(5), 1);
    assert.equal(taken(5, { clocksWereSet: true }), 0);
    assert.equal(taken(60), 0);
  });
});
