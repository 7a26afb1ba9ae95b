import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import { decide, feasibleEnough } from "./cycle.ts";
import { NodeInfo, podInfoOf } from "./node-info.ts";
import { DEFAULT_PLUGINS } from "./plugins/all.ts";

const random = new SeededRandom(1);

function node(
  name: string,
  change: { spec?: object; labels?: Record<string, string>; images?: string[] } = {},
): V1Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...change.labels } },
    spec: { ...change.spec },
    status: {
      allocatable: { cpu: "2", memory: "4Gi", pods: "10" },
      images: (change.images ?? []).map((image) => ({
        names: [image],
        sizeBytes: 500 * 1024 * 1024,
      })),
    },
  };
}

function pod(name: string, spec: Partial<V1PodSpec> = {}): V1Pod {
  return { metadata: { name, uid: name }, spec: { containers: [container()], ...spec } };
}

function container(
  cpu?: string,
  memory?: string,
  hostPort?: number,
): V1PodSpec["containers"][number] {
  const requests = { ...(cpu && { cpu }), ...(memory && { memory }) };
  const ports = hostPort ? [{ containerPort: 80, hostPort }] : [];
  return { name: "c", image: "nginx", resources: { requests }, ports };
}

function infos(
  nodes: readonly V1Node[],
  placed: Readonly<Record<string, readonly V1Pod[]>> = {},
): NodeInfo[] {
  return nodes.map((one) => {
    const info = new NodeInfo(one);
    for (const each of placed[info.name] ?? []) info.addPod(podInfoOf(each));
    return info;
  });
}

function outcome(subject: V1Pod, nodes: readonly NodeInfo[]): string {
  const decision = decide(subject, nodes, DEFAULT_PLUGINS, random);
  return decision.kind === "bind" ? decision.node.name : decision.message;
}

const NO_VICTIMS = "No preemption victims found for incoming pod";
const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const refused = (count: number, reasons: string, preemption: string): string =>
  `0/${count} nodes are available: ${reasons}. no new claims to deallocate, preemption: 0/${count} nodes are available: ${preemption}.`;

describe("decide", () => {
  it("says so when there is no node", () => {
    assert.equal(outcome(pod("p"), []), "no nodes available to schedule pods");
  });

  it("takes the emptier node", () => {
    const nodes = infos([node("a"), node("b")], {
      a: [pod("x", { containers: [container("1", "2Gi")] })],
    });
    assert.equal(outcome(pod("p", { containers: [container("500m", "1Gi")] }), nodes), "b");
  });

  it("takes the node that has the image when both are as empty", () => {
    const nodes = infos([node("a"), node("b", { images: ["nginx:latest"] })]);
    assert.equal(outcome(pod("p"), nodes), "b");
  });

  it("follows a preference of the Pod", () => {
    const preference = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] };
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }],
      },
    };
    const nodes = infos([node("a"), node("b", { labels: { disk: "ssd" } })]);
    assert.equal(outcome(pod("p", { affinity }), nodes), "b");
  });

  it("avoids a node that would rather not", () => {
    const taints = [{ key: "old", effect: "PreferNoSchedule" }];
    assert.equal(outcome(pod("p"), infos([node("a", { spec: { taints } }), node("b")])), "b");
  });

  const full = [pod("x", { containers: [container("2", "1Gi", 80)] })];
  for (const [name, subject, nodes, expected] of [
    [
      "too little cpu",
      pod("p", { containers: [container("1")] }),
      infos([node("a")], { a: full }),
      refused(1, "1 Insufficient cpu", `1 ${NO_VICTIMS}`),
    ],
    [
      "more than any node has",
      pod("p", { containers: [container("3", "9Gi")] }),
      infos([node("a"), node("b")]),
      refused(2, "2 Insufficient cpu, 2 Insufficient memory", `2 ${NOT_HELPFUL}`),
    ],
    [
      "a taint here, a cordon there",
      pod("p"),
      infos([
        node("a", { spec: { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] } }),
        node("b", { spec: { unschedulable: true } }),
      ]),
      refused(
        2,
        "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable",
        `2 ${NOT_HELPFUL}`,
      ),
    ],
    [
      "a selector that nothing matches",
      pod("p", { nodeSelector: { disk: "ssd" } }),
      infos([node("a")]),
      refused(1, "1 node(s) didn't match Pod's node affinity/selector", `1 ${NOT_HELPFUL}`),
    ],
    [
      "a host port that is taken",
      pod("p", { containers: [container(undefined, undefined, 80)] }),
      infos([node("a")], { a: full }),
      refused(1, "1 node(s) didn't have free ports for the requested pod ports", `1 ${NO_VICTIMS}`),
    ],
    [
      "too many pods",
      pod("p"),
      infos([node("a")], { a: Array.from({ length: 10 }, (_, i) => pod(`x${i}`)) }),
      refused(1, "1 Too many pods", `1 ${NO_VICTIMS}`),
    ],
  ] as const) {
    it(`refuses for ${name}`, () => assert.equal(outcome(subject, nodes), expected));
  }

  it("accepts what the Pod tolerates", () => {
    const taints = [{ key: "k", value: "v", effect: "NoSchedule" }];
    const tolerations = [{ key: "k", operator: "Exists" }];
    assert.equal(outcome(pod("p", { tolerations }), infos([node("a", { spec: { taints } })])), "a");
  });

  it("counts the largest init container where it is more than the sum", () => {
    const initContainers = [{ ...container("1900m"), name: "i" }];
    const nodes = infos([node("a")], { a: [pod("x", { containers: [container("200m")] })] });
    assert.match(outcome(pod("p", { initContainers }), nodes), /Insufficient cpu/);
  });

  it("never over-commits a node, whatever comes", () => {
    const nodes = infos([node("a"), node("b"), node("c")]);
    for (let i = 0; i < 60; i++) {
      const cpu = `${1 + random.integer(900)}m`;
      const subject = pod(`p${i}`, { containers: [container(cpu, "100Mi")] });
      const decision = decide(subject, nodes, DEFAULT_PLUGINS, random);
      if (decision.kind === "bind") decision.node.addPod(podInfoOf(subject));
    }
    for (const info of nodes) assert.ok((info.requested.get("cpu") ?? 0) <= 2000);
  });
});

describe("feasibleEnough", () => {
  for (const [count, expected] of [
    [1, 1],
    [99, 99],
    [100, 100],
    [1000, 420],
    [5000, 500],
    [10000, 500],
  ] as const)
    it(`${count} nodes: ${expected}`, () => assert.equal(feasibleEnough(count), expected));
});
