import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../gen/types.ts";
import { Workloads } from "./workloads.ts";

const pod = (kind?: string, apiVersion = "apps/v1"): V1Pod => ({
  metadata: {
    name: "p",
    namespace: "ns",
    labels: { app: "web", tier: "front" },
    ...(kind && {
      ownerReferences: [{ apiVersion, kind, name: "owner", uid: "u", controller: true }],
    }),
  },
});

describe("Workloads.selectorFor", () => {
  it("is nothing for a Pod that nobody selects", () => {
    const workloads = new Workloads();
    workloads.setService("ns", "other", { app: "db" });
    workloads.setService("elsewhere", "web", { app: "web" });
    assert.equal(workloads.selectorFor(pod()), undefined);
  });

  it("is what all Services that select it ask for", () => {
    const workloads = new Workloads();
    workloads.setService("ns", "a", { app: "web" });
    workloads.setService("ns", "b", { tier: "front" });
    const matchLabels = { app: "web", tier: "front" };
    assert.deepEqual(workloads.selectorFor(pod()), { matchLabels });
    workloads.setService("ns", "a", undefined);
    assert.deepEqual(workloads.selectorFor(pod()), { matchLabels: { tier: "front" } });
  });

  it("is its owner's selector too, of owners that count", () => {
    const workloads = new Workloads();
    const matchExpressions = [{ key: "app", operator: "Exists" }];
    workloads.setOwner("StatefulSet", "ns", "owner", { matchExpressions });
    assert.deepEqual(workloads.selectorFor(pod("StatefulSet")), {
      matchLabels: {},
      matchExpressions,
    });
    assert.equal(workloads.selectorFor(pod("ReplicaSet")), undefined);
    assert.equal(workloads.selectorFor(pod("StatefulSet", "example.com/v1")), undefined);
  });

  it("has another version only when a selector is another", () => {
    const workloads = new Workloads();
    workloads.setService("ns", "a", { app: "web" });
    const { version } = workloads;
    workloads.setService("ns", "a", { app: "web" });
    assert.equal(workloads.version, version);
    workloads.setService("ns", "a", { app: "db" });
    assert.notEqual(workloads.version, version);
  });
});
