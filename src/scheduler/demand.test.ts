import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1ContainerStatus, V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import { demandOf } from "./demand.ts";
import { SchedulerCache } from "./scheduler-cache.ts";

const template: V1PodSpec = {
  containers: [{ name: "app", image: "i", resources: { requests: { cpu: "1" } } }],
};

function placed(name: string, has?: string, spec = template): V1Pod {
  const status = { name: "app", resources: { requests: { cpu: has } } };
  return {
    metadata: { name, namespace: "default", uid: name },
    spec: { ...spec, nodeName: "n" },
    ...(has && { status: { containerStatuses: [status as unknown as V1ContainerStatus] } }),
  };
}

describe("demandOf", () => {
  it("is one object for the Pods of a template, bound or not, whatever else their status says", () => {
    const demand = demandOf({ spec: template });
    assert.equal(demandOf(placed("a")), demand);
    assert.equal(demandOf(placed("b", "1")), demand);
  });

  it("tells Pods apart that ask for different amounts as a whole", () => {
    const whole = { ...template, resources: { requests: { cpu: "3" } } };
    assert.equal(demandOf({ spec: whole }).requests.cpu, 3000);
    assert.equal(demandOf({ spec: template }).requests.cpu, 1000);
  });

  it("stays the same object while a resize stands still", () => {
    const demand = demandOf(placed("a", "2"));
    assert.equal(demand.requests.cpu, 2000);
    assert.equal(demandOf(placed("a", "2")), demand);
    assert.notEqual(demandOf(placed("a", "3")), demand);
  });
});

describe("a resize on a node", () => {
  it("takes room at once and gives it back when the node has", () => {
    const node: V1Node = { metadata: { name: "n" }, status: { allocatable: { cpu: "4" } } };
    const cache = new SchedulerCache();
    cache.setNode(node);
    const taken = (): number => cache.node("n")!.requested.cpu;
    cache.setPod(placed("a", "1"));
    const smaller: V1PodSpec = {
      containers: [{ name: "app", image: "i", resources: { requests: { cpu: "500m" } } }],
    };
    assert.equal(cache.setPod(placed("a", "1", smaller))?.requests.cpu, 1000);
    assert.equal(taken(), 1000);
    const freed = cache.setPod(placed("a", "500m", smaller));
    assert.deepEqual([freed?.requests.cpu, taken()], [1000, 500]);
    cache.removePod("a");
    assert.equal(taken(), 0);
  });
});
