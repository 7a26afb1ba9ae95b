import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1ReplicaSet } from "../../../src/gen/types.ts";
import { deployment, replicaSet } from "../../support/builders.ts";
import { emptyHistory } from "../world/history.ts";
import { rollouts } from "./rollouts.ts";
import { Story } from "./story.ts";

const OWNER = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  name: "web",
  uid: "uid-of-web",
  controller: true,
};

/** A set of `web` that is told to run `size`, of which `available` are. */
function setOf(name: string, size: number, available: number, madeFor = "3"): V1ReplicaSet {
  const annotations = { "deployment.kubernetes.io/desired-replicas": madeFor };
  return replicaSet(name, {
    metadata: { ownerReferences: [OWNER], annotations },
    spec: { replicas: size },
    status: { replicas: size, availableReplicas: available },
  });
}

/** `web`: 3 replicas, one more and none fewer while it rolls; its old set is complete. */
function rolling(): Story {
  const story = new Story();
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
  const strategy = { type: "RollingUpdate", rollingUpdate };
  story.put("apps/deployments", deployment("web", { spec: { replicas: 3, strategy } }));
  story.put("apps/replicasets", setOf("old", 3, 3));
  return story;
}

const problems = (story: Story): string => rollouts.check!(story.with()).join("; ");

describe("rollouts checker", () => {
  it("is content with one step after the other", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("new", 1, 0));
    story.put("apps/replicasets", setOf("new", 1, 1));
    story.put("apps/replicasets", setOf("old", 2, 3));
    assert.equal(problems(story), "");
  });

  it("tells of a surge above the limit", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("new", 2, 0));
    assert.match(problems(story), /0 → 2 at 3: its sets want 5 pods, 4 at most/);
  });

  it("tells of available Pods that are taken away too early", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("new", 1, 0));
    story.put("apps/replicasets", setOf("old", 2, 3));
    assert.match(problems(story), /3 → 2 at 4: fewer than 3 would be left available/);
  });

  it("allows Pods to be taken away that are not available", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("old", 3, 2));
    story.put("apps/replicasets", setOf("old", 2, 2));
    assert.equal(problems(story), "");
  });

  it("allows a Deployment that is scaled to shrink its sets in proportion", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("new", 1, 0));
    story.put("apps/replicasets", setOf("old", 2, 3, "2"));
    assert.equal(problems(story), "");
  });

  it("allows what was right in what the controller may have read", () => {
    const story = rolling();
    story.put("apps/replicasets", setOf("new", 1, 1));
    story.put("apps/replicasets", setOf("new", 1, 0));
    story.put("apps/replicasets", setOf("old", 2, 3));
    assert.match(problems(story), /fewer than 3/);
    const late = story.with({ facts: { ...emptyHistory.facts, staleMs: 3000 } });
    assert.deepEqual(rollouts.check!(late), []);
  });
});
