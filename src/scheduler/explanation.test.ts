import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import { explainPod, type PodExplanation } from "./explanation.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

function node(name: string, spec: object = {}): V1Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec,
    status: { allocatable: { cpu: "2", memory: "4Gi", pods: "10" } },
  };
}

function pod(name: string, cpu: string, spec: Partial<V1PodSpec> = {}): V1Pod {
  const containers = [{ name: "c", image: "i", resources: { requests: { cpu } } }];
  return {
    metadata: { name, namespace: "default", uid: name },
    spec: { containers, schedulerName: "default-scheduler", ...spec },
  };
}

function explained(
  subject: V1Pod,
  nodes: readonly V1Node[],
  placed: readonly V1Pod[] = [],
): PodExplanation {
  const cache = new SchedulerCache();
  for (const one of nodes) cache.setNode(one);
  for (const one of placed) cache.setPod(one);
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const isOurs = subject.spec?.schedulerName === "default-scheduler";
  const classOf = isOurs ? (one: V1Pod) => classes.of(one) : undefined;
  return explainPod(subject, classOf, cache, ["default-scheduler"]);
}

/** `node plugin: remedy` of every refusal. */
const remedies = ({ nodes }: PodExplanation): readonly string[] =>
  nodes.flatMap(({ name, refusals }) =>
    refusals.map(({ plugin, remedy }) => `${name} ${plugin}: ${remedy}`),
  );

describe("explainPod", () => {
  it("names every plugin that refuses a node, and what would have to change", () => {
    const taints = [{ key: "only", value: "x", effect: "NoSchedule" }];
    const subject = pod("p", "1500m", { nodeSelector: { disk: "ssd" } });
    const found = explained(
      subject,
      [node("a", { unschedulable: true, taints }), node("b")],
      [pod("x", "1", { nodeName: "b" })],
    );
    assert.match(found.summary, /^It fits on none of 2 nodes\./);
    assert.deepEqual(remedies(found), [
      "a NodeUnschedulable: kubectl uncordon a",
      "a TaintToleration: a toleration of only=x:NoSchedule, or kubectl taint node a only:NoSchedule-",
      "a NodeAffinity: kubectl label node a disk=ssd",
      "b NodeAffinity: kubectl label node b disk=ssd",
      "b NodeResourcesFit: asks for 1500m cpu, 1 of 2 is free",
    ]);
  });

  it("never offers to give a node another's name", () => {
    const subject = pod("p", "1", { nodeSelector: { "kubernetes.io/hostname": "b" } });
    assert.deepEqual(remedies(explained(subject, [node("a")])), [
      "a NodeAffinity: the Pod would have to ask for this node: its nodeSelector names another",
    ]);
  });

  it("says when no node is large enough", () => {
    assert.deepEqual(remedies(explained(pod("p", "3"), [node("a")])), [
      "a NodeResourcesFit: asks for 3 cpu, the node has 2 in all",
    ]);
  });

  it("says why this node, by scores, as if the Pod were not there yet", () => {
    const subject = pod("p", "1", { nodeName: "a" });
    const found = explained(
      subject,
      [node("a"), node("b")],
      [subject, pod("x", "500m", { nodeName: "b" })],
    );
    assert.match(found.summary, /^It is on a, which scores highest \(\d+\) of 2 nodes that fit\.$/);
    assert.equal(found.nodes[0]!.name, "a");
    const parts = found.nodes[0]!.scores!;
    assert.equal(
      parts.reduce((sum, { score }) => sum + score, 0),
      found.nodes[0]!.score,
    );
  });

  it("says when the cluster has changed since", () => {
    const subject = pod("p", "1", { nodeName: "a" });
    const found = explained(
      subject,
      [node("a"), node("b")],
      [subject, pod("x", "1", { nodeName: "a" })],
    );
    assert.match(found.summary, /^It is on a \(score \d+\); by what is known now, b would score/);
  });

  it("tells gated, foreign and finished Pods apart", () => {
    const nodes = [node("a")];
    const gated = pod("p", "1", { schedulingGates: [{ name: "wait/for-it" }] });
    assert.match(explained(gated, nodes).summary, /gates are removed: wait\/for-it\.$/);
    const foreign = pod("p", "1", { schedulerName: "other" });
    assert.match(explained(foreign, nodes).summary, /asks for the scheduler 'other'/);
    const ended = { ...pod("p", "1"), status: { phase: "Failed" } };
    assert.equal(explained(ended, nodes).state, "finished");
    assert.equal(explained(pod("p", "1"), []).summary, "There are no nodes.");
  });
});
