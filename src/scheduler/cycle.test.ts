import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import { decide } from "./cycle.ts";
import { Decider } from "./decider.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

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

function world(
  nodes: readonly V1Node[],
  placed: Readonly<Record<string, readonly V1Pod[]>> = {},
): SchedulerCache {
  const cache = new SchedulerCache();
  for (const one of nodes) cache.setNode(one);
  for (const [name, pods] of Object.entries(placed))
    for (const each of pods) cache.assume(each, name);
  return cache;
}

/** The node's name, or why there is none: by the definition, and by what is remembered, which must say the same. */
function outcome(subject: V1Pod, cache: SchedulerCache): string {
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const [defined, remembered] = [
    decide(subject, classes.of(subject), cache, new SeededRandom(1)),
    new Decider(cache, classes, new SeededRandom(1)).decide(subject),
  ].map((decision) => (decision.kind === "bind" ? decision.node.name : decision.message));
  assert.equal(remembered, defined);
  return defined!;
}

const NO_VICTIMS = "No preemption victims found for incoming pod";
const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const refused = (count: number, reasons: string, preemption: string): string =>
  `0/${count} nodes are available: ${reasons}. no new claims to deallocate, preemption: 0/${count} nodes are available: ${preemption}.`;

describe("decide", () => {
  it("says so when there is no node", () => {
    assert.equal(outcome(pod("p"), world([])), "no nodes available to schedule pods");
  });

  it("takes the emptier node", () => {
    const nodes = world([node("a"), node("b")], {
      a: [pod("x", { containers: [container("1", "2Gi")] })],
    });
    assert.equal(outcome(pod("p", { containers: [container("500m", "1Gi")] }), nodes), "b");
  });

  it("takes the node that has the image when both are as empty", () => {
    const nodes = world([node("a"), node("b", { images: ["nginx:latest"] })]);
    assert.equal(outcome(pod("p"), nodes), "b");
  });

  it("follows a preference of the Pod", () => {
    const preference = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] };
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }],
      },
    };
    const nodes = world([node("a"), node("b", { labels: { disk: "ssd" } })]);
    assert.equal(outcome(pod("p", { affinity }), nodes), "b");
  });

  it("avoids a node that would rather not", () => {
    const taints = [{ key: "old", effect: "PreferNoSchedule" }];
    assert.equal(outcome(pod("p"), world([node("a", { spec: { taints } }), node("b")])), "b");
  });

  it("asks nodes for what their kubelets must declare", () => {
    const rules = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [1] } }];
    const restarting = { ...container(), restartPolicy: "Never", restartPolicyRules: rules };
    const named = { ...restarting, restartPolicyRules: [{ ...rules[0]!, action: "Restart" }] };
    const declaring = (name: string, ...declaredFeatures: string[]): V1Node => {
      const one = node(name);
      return { ...one, status: { ...one.status, declaredFeatures } };
    };
    const some = () =>
      world([node("a"), declaring("b", "Other", "RestartAllContainersOnContainerExits")]);
    assert.equal(outcome(pod("p", { containers: [restarting] }), some()), "b");
    assert.equal(outcome(pod("p", { initContainers: [restarting] }), some()), "b");
    const none = world([node("a"), declaring("b", "Other")]);
    const message = refused(
      2,
      "2 node(s) didn't match Pod's required features",
      `2 ${NOT_HELPFUL}`,
    );
    assert.equal(outcome(pod("p", { containers: [restarting] }), none), message);
    assert.equal(outcome(pod("p", { hostNetwork: true, hostUsers: false }), none), message);
    assert.match(outcome(pod("p", { containers: [named], hostNetwork: true }), none), /^[ab]$/);
  });

  it("lets nobody run without the device that it claims", () => {
    const claiming = (claim: object) => pod("p", { resourceClaims: [{ name: "c", ...claim }] });
    assert.equal(
      outcome(claiming({ resourceClaimName: "lamp" }), world([node("a")])),
      '0/1 nodes are available: resourceclaim "lamp" not found. not found',
    );
    assert.equal(
      outcome(claiming({ resourceClaimTemplateName: "t" }), world([node("a")])),
      "0/1 nodes are available: ResourceClaim not created yet. not found",
    );
    assert.equal(outcome(pod("p", { resourceClaims: [] }), world([node("a")])), "a");
  });

  const full = [pod("x", { containers: [container("2", "1Gi", 80)] })];
  for (const [name, subject, nodes, expected] of [
    [
      "too little cpu",
      pod("p", { containers: [container("1")] }),
      world([node("a")], { a: full }),
      refused(1, "1 Insufficient cpu", `1 ${NO_VICTIMS}`),
    ],
    [
      "more than any node has",
      pod("p", { containers: [container("3", "9Gi")] }),
      world([node("a"), node("b")]),
      refused(2, "2 Insufficient cpu, 2 Insufficient memory", `2 ${NOT_HELPFUL}`),
    ],
    [
      "a taint here, a cordon there",
      pod("p"),
      world([
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
      world([node("a")]),
      refused(1, "1 node(s) didn't match Pod's node affinity/selector", `1 ${NOT_HELPFUL}`),
    ],
    [
      "a host port that is taken",
      pod("p", { containers: [container(undefined, undefined, 80)] }),
      world([node("a")], { a: full }),
      refused(1, "1 node(s) didn't have free ports for the requested pod ports", `1 ${NO_VICTIMS}`),
    ],
    [
      "too many pods",
      pod("p"),
      world([node("a")], { a: Array.from({ length: 10 }, (_, i) => pod(`x${i}`)) }),
      refused(1, "1 Too many pods", `1 ${NO_VICTIMS}`),
    ],
  ] as const) {
    it(`refuses for ${name}`, () => assert.equal(outcome(subject, nodes), expected));
  }

  const onPort = (port: object) =>
    pod("p", {
      containers: [{ ...container(), ports: [{ containerPort: 80, ...port } as never] }],
    });
  const bound = (port: object) => ({ a: [onPort(port)] });
  for (const [what, wanted, taken, isFree] of [
    ["another port", { hostPort: 81 }, { hostPort: 80 }, true],
    ["the same", { hostPort: 80 }, { hostPort: 80 }, false],
    ["another protocol", { hostPort: 80, protocol: "UDP" }, { hostPort: 80 }, true],
    [
      "other addresses",
      { hostPort: 80, hostIP: "127.0.0.1" },
      { hostPort: 80, hostIP: "127.0.0.2" },
      true,
    ],
    ["one address of all", { hostPort: 80, hostIP: "127.0.0.1" }, { hostPort: 80 }, false],
    ["no port of the host", {}, { hostPort: 80 }, true],
  ] as const)
    it(`host ports: ${what} → ${isFree ? "free" : "taken"}`, () => {
      const place = outcome(onPort(wanted), world([node("a")], bound(taken)));
      assert.equal(place === "a", isFree, place);
    });

  const tainted = (name: string, ...effects: string[]): V1Node =>
    node(name, { spec: { taints: effects.map((effect, i) => ({ key: `k${i}`, effect })) } });
  const all = [{ operator: "Exists" }];
  const hard = [{ operator: "Exists", effect: "NoSchedule" }];
  for (const [what, tolerations, nodes, expected] of [
    [
      "NoExecute refuses as well",
      [],
      [tainted("a", "NoExecute"), tainted("b", "PreferNoSchedule")],
      "b",
    ],
    [
      "the fewer preferences against it, the better",
      [],
      [tainted("a", "PreferNoSchedule", "PreferNoSchedule"), tainted("b", "PreferNoSchedule")],
      "b",
    ],
    [
      "what it tolerates is none",
      [{ key: "k0", operator: "Exists" }],
      [tainted("a", "PreferNoSchedule"), tainted("b", "PreferNoSchedule", "PreferNoSchedule")],
      "a",
    ],
    [
      "but not by tolerating another effect",
      hard,
      [tainted("a", "PreferNoSchedule"), tainted("b", "NoSchedule")],
      "b",
    ],
    [
      "a hard taint that it tolerates is none either",
      hard,
      [tainted("a", "NoSchedule"), tainted("b", "PreferNoSchedule")],
      "a",
    ],
  ] as const)
    it(`taints: ${what} → ${expected}`, () =>
      assert.equal(outcome(pod("p", { tolerations: [...tolerations] }), world(nodes)), expected));

  it("who tolerates everything may go anywhere", () => {
    const nodes = world([tainted("a", "NoSchedule", "NoExecute", "PreferNoSchedule")]);
    assert.equal(outcome(pod("p", { tolerations: all }), nodes), "a");
  });

  it("accepts what the Pod tolerates", () => {
    const taints = [{ key: "k", value: "v", effect: "NoSchedule" }];
    const tolerations = [{ key: "k", operator: "Exists" }];
    assert.equal(outcome(pod("p", { tolerations }), world([node("a", { spec: { taints } })])), "a");
  });

  it("counts the largest init container where it is more than the sum", () => {
    const initContainers = [{ ...container("1900m"), name: "i" }];
    const nodes = world([node("a")], { a: [pod("x", { containers: [container("200m")] })] });
    assert.match(outcome(pod("p", { initContainers }), nodes), /Insufficient cpu/);
  });

  it("prefers no node for its balance when the Pod asks for nothing", () => {
    const nodes = world([node("a"), node("b")], {
      // Least allocated says a, by far; balance would say b.
      a: [pod("x", { containers: [container("200m", "1Mi")] })],
      b: [pod("y", { containers: [container("1", "2Gi")] })],
    });
    assert.equal(outcome(pod("p"), nodes), "a");
  });

  it("looks only at the nodes that the Pod names, as a DaemonSet's do", () => {
    const matchFields = [{ key: "metadata.name", operator: "In", values: ["b"] }];
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
      },
    };
    const nodes = [node("a"), node("b"), node("c")];
    assert.equal(outcome(pod("p", { affinity }), world(nodes)), "b");
    assert.equal(
      outcome(pod("p", { affinity, containers: [container("1")] }), world(nodes, { b: full })),
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, " +
        `preemption: 0/3 nodes are available: 1 ${NO_VICTIMS}, 2 ${NOT_HELPFUL}.`,
    );
  });

  it("says that no node has two names", () => {
    const named = (name: string) => ({ key: "metadata.name", operator: "In", values: [name] });
    const nodeSelectorTerms = [{ matchFields: [named("a"), named("b")] }];
    const affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    };
    assert.equal(
      outcome(pod("p", { affinity }), world([node("a"), node("b")])),
      "0/2 nodes are available: pod affinity terms conflict. not found",
    );
  });

  it("knows what changed after more changes than are remembered", () => {
    const cache = world([node("a"), node("b")], {
      b: [pod("z", { containers: [container("200m", "400Mi")] })],
    });
    const decider = new Decider(
      cache,
      new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads()),
      random,
    );
    const subject = pod("p", { containers: [container("500m", "1Gi")] });
    decider.decide(subject);
    decider.decide(subject);
    cache.assume(pod("x", { containers: [container("1", "2Gi")] }), "a");
    for (let i = 0; i < 5000; i++) {
      cache.assume(pod("y"), "b");
      cache.forget(pod("y"));
    }
    const decision = decider.decide(subject);
    assert.equal(decision.kind === "bind" && decision.node.name, "b");
  });

  it("never over-commits a node, whatever comes", () => {
    const cache = world([node("a"), node("b"), node("c")]);
    const decider = new Decider(
      cache,
      new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads()),
      random,
    );
    for (let i = 0; i < 60; i++) {
      const cpu = `${1 + random.integer(900)}m`;
      const subject = pod(`p${i}`, { containers: [container(cpu, "100Mi")] });
      const decision = decider.decide(subject);
      if (decision.kind === "bind") cache.assume(subject, decision.node.name);
    }
    for (const info of cache.nodes) assert.ok(info.requested.cpu <= 2000);
  });
});
