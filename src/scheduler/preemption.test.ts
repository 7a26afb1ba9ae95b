import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodDisruptionBudget, V1PodSpec } from "../gen/types.ts";
import { decide, type Decision } from "./cycle.ts";
import { Decider } from "./decider.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

/** Four Pods fill a node. */
function node(name: string, labels: Record<string, string> = {}, spec: object = {}): V1Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec,
    status: { allocatable: { cpu: "4", memory: "8Gi", pods: "10" } },
  };
}

interface Change {
  readonly labels?: Record<string, string>;
  readonly spec?: Partial<V1PodSpec>;
  readonly start?: string;
  readonly status?: V1Pod["status"];
}

function pod(name: string, priority: number, cpu = "1", change: Change = {}): V1Pod {
  const resources = { requests: { cpu } };
  return {
    metadata: { name, namespace: "default", uid: name, labels: change.labels ?? {} },
    spec: { containers: [{ name: "c", image: "i", resources }], priority, ...change.spec },
    status: { startTime: change.start ?? "2026-01-01T00:00:00Z", ...change.status },
  };
}

function world(
  nodes: readonly V1Node[],
  placed: Readonly<Record<string, readonly V1Pod[]>>,
): SchedulerCache {
  const cache = new SchedulerCache();
  for (const one of nodes) cache.setNode(one);
  for (const [name, pods] of Object.entries(placed))
    for (const each of pods) cache.setPod({ ...each, spec: { ...each.spec!, nodeName: name } });
  return cache;
}

function budget(allowed: number, app: string): V1PodDisruptionBudget {
  return {
    metadata: { name: app, namespace: "default" },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  };
}

/** `n1: victim victim`, the node's name, or the message; by the definition and by what is remembered. */
function outcome(subject: V1Pod, cache: SchedulerCache): string {
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const decider = new Decider(cache, classes, new SeededRandom(1));
  // The first of a class is decided by the definition, the second from what is remembered.
  decider.decide({ ...subject, metadata: { ...subject.metadata!, uid: "first of its class" } });
  const found = [
    decide(subject, classes.of(subject), cache, new SeededRandom(1)),
    decider.decide(subject),
  ].map(told);
  assert.equal(found[1], found[0]);
  return found[0]!;
}

function told(decision: Decision): string {
  if (decision.kind === "bind") return decision.node.name;
  if (decision.kind === "unschedulable") return decision.message;
  return `${decision.node.name}: ${decision.victims.map((one) => one.metadata!.name).join(" ")}`;
}

const NO_VICTIMS = "No preemption victims found for incoming pod";
const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const refused = (reasons: string, preemption: string): string =>
  `${reasons}. no new claims to deallocate, preemption: ${preemption}`;

describe("preemption", () => {
  const two = [node("a"), node("b")];

  it("takes no more than it needs, the least important first", () => {
    const nodes = world([node("a")], {
      a: [pod("low", 1), pod("old", 2), pod("mid", 5), pod("high", 9)],
    });
    assert.equal(outcome(pod("p", 10, "2"), nodes), "a: old low");
  });

  it("spares who has run longer among equals", () => {
    const nodes = world([node("a")], {
      a: [
        pod("young", 1, "2", { start: "2026-01-02T00:00:00Z" }),
        pod("old", 1, "2", { start: "2026-01-01T00:00:00Z" }),
      ],
    });
    assert.equal(outcome(pod("p", 10, "2"), nodes), "a: young");
  });

  it("evicts nobody of its own priority", () => {
    const nodes = world([node("a")], { a: [pod("x", 10, "4")] });
    assert.equal(
      outcome(pod("p", 10), nodes),
      refused(
        "0/1 nodes are available: 1 Insufficient cpu",
        `0/1 nodes are available: 1 ${NO_VICTIMS}.`,
      ),
    );
  });

  it("says what stands in its way once the victims were gone", () => {
    const nodes = world([node("a"), node("b", {}, { unschedulable: true })], {
      a: [pod("x", 20, "3"), pod("y", 1, "1")],
    });
    assert.equal(
      outcome(pod("p", 10, "2"), nodes),
      refused(
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable",
        `0/2 nodes are available: 1 Insufficient cpu, 1 ${NOT_HELPFUL}.`,
      ),
    );
  });

  it("never preempts where its policy forbids it", () => {
    const nodes = world([node("a")], { a: [pod("x", 1, "4")] });
    assert.equal(
      outcome(pod("p", 10, "1", { spec: { preemptionPolicy: "Never" } }), nodes),
      refused(
        "0/1 nodes are available: 1 Insufficient cpu",
        "not eligible due to preemptionPolicy=Never.",
      ),
    );
  });

  for (const [name, a, b, expected] of [
    ["lower highest victim", [pod("x", 5, "4")], [pod("y", 4, "4")], "b: y"],
    [
      "lower sum of priorities",
      [pod("x", 4, "2"), pod("x2", 4, "2")],
      [pod("y", 4, "2"), pod("y2", 3, "2")],
      "b: y y2",
    ],
    ["fewer victims", [pod("x", 4, "2"), pod("x2", -4, "2")], [pod("y", 4, "4")], "b: y"],
    [
      "later start",
      [pod("x", 4, "4", { start: "2026-01-01T00:00:00Z" })],
      [pod("y", 4, "4", { start: "2026-01-03T00:00:00Z" })],
      "b: y",
    ],
  ] as const)
    it(`takes the node with the ${name}`, () =>
      assert.equal(outcome(pod("p", 10, "4"), world(two, { a, b })), expected));

  it("takes the node where no budget is broken, whatever the priorities", () => {
    const nodes = world(two, {
      a: [pod("x", 1, "4", { labels: { app: "kept" } })],
      b: [pod("y", 5, "4")],
    });
    nodes.setBudget("default/kept", budget(0, "kept"));
    assert.equal(outcome(pod("p", 10, "4"), nodes), "b: y");
  });

  it("spares the Pods that a budget protects before those of higher priority", () => {
    const nodes = world([node("a")], {
      a: [pod("kept", 1, "2", { labels: { app: "kept" } }), pod("other", 5, "2")],
    });
    nodes.setBudget("default/kept", budget(0, "kept"));
    assert.equal(outcome(pod("p", 10, "2"), nodes), "a: other");
  });

  it("breaks a budget when there is no other way", () => {
    const nodes = world([node("a")], { a: [pod("x", 1, "4", { labels: { app: "kept" } })] });
    nodes.setBudget("default/kept", budget(0, "kept"));
    assert.equal(outcome(pod("p", 10, "4"), nodes), "a: x");
  });

  it("makes room from Pods that must not be near it", () => {
    const labelSelector = { matchLabels: { app: "loud" } };
    const term = { topologyKey: "kubernetes.io/hostname", labelSelector };
    const affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    };
    const nodes = world([node("a")], {
      a: [pod("loud", 1, "1", { labels: { app: "loud" } }), pod("quiet", 1)],
    });
    assert.equal(outcome(pod("p", 10, "1", { spec: { affinity } }), nodes), "a: loud");
  });

  it("makes room in the fullest domain", () => {
    const spread = {
      topologyKey: "kubernetes.io/hostname",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "web" } },
    };
    const web = { labels: { app: "web" } };
    const nodes = world([node("a"), node("b", {}, { unschedulable: true })], {
      a: [pod("w1", 1, "1", web), pod("w2", 1, "1", { ...web, start: "2026-01-05T00:00:00Z" })],
      b: [pod("w3", 1, "1", web)],
    });
    const subject = pod("p", 10, "1", { ...web, spec: { topologySpreadConstraints: [spread] } });
    assert.equal(outcome(subject, nodes), "a: w2");
  });
});

describe("a node that is kept for somebody", () => {
  it("is not given to Pods of no higher priority, but to those of a higher one", () => {
    const nodes = world([node("a")], { a: [pod("x", 20, "1")] });
    nodes.nominations.set(pod("first", 10, "3"), "a");
    assert.match(outcome(pod("equal", 10), nodes), /^0\/1 nodes are available: 1 Insufficient cpu/);
    assert.equal(outcome(pod("higher", 11), nodes), "a");
    assert.equal(outcome(pod("first", 10, "3"), nodes), "a", "it is its own");
  });

  it("is taken by its Pod, even if another is better now", () => {
    const nodes = world([node("a"), node("b")], { a: [pod("x", 1, "2")] });
    const subject = pod("p", 10);
    nodes.nominations.set(subject, "a");
    assert.equal(outcome(subject, nodes), "a");
  });

  it("is waited for while victims leave", () => {
    const leaving = pod("x", 1, "4", {
      status: {
        conditions: [
          { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" } as never,
        ],
      },
    });
    const nodes = world([node("a"), node("b")], {
      a: [
        {
          ...leaving,
          metadata: { ...leaving.metadata!, deletionTimestamp: "2026-01-01T00:00:00Z" },
        },
      ],
      b: [pod("y", 1, "4")],
    });
    const subject = pod("p", 10);
    nodes.nominations.set(subject, "a");
    assert.match(outcome(subject, nodes), /terminating pod on the nominated node\.$/);
  });

  it("is another's again for the next decision, when one was refused for it", () => {
    const nodes = world([node("a")], {});
    const classes = new PodClasses(DEFAULT_PLUGINS, nodes.interest, new Workloads());
    const decider = new Decider(nodes, classes, new SeededRandom(1));
    const subject = pod("p", 1, "2");
    decider.decide(subject);
    decider.decide(subject);
    nodes.nominations.set(pod("first", 10, "3"), "a");
    assert.equal(decider.decide(subject).kind, "unschedulable");
    nodes.nominations.delete("first");
    assert.equal(decider.decide(subject).kind, "bind");
  });
});
