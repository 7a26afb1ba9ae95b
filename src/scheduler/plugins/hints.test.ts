import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Node, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { demandOf } from "../demand.ts";
import type { ClusterChange } from "../framework.ts";
import { LabelInterest } from "../label-interest.ts";
import { nodeDifference } from "../node-info.ts";
import { DEFAULT_PLUGINS } from "../plugin-args.ts";
import { PodClasses } from "../pod-class.ts";
import { Workloads } from "../workloads.ts";

type Amounts = Readonly<Record<string, string>>;
type Labels = Readonly<Record<string, string>>;

function node(
  name: string,
  parts: { give?: Amounts; labels?: Labels; spec?: V1Node["spec"] },
): V1Node {
  const { give = { cpu: "2" }, labels = {}, spec = {} } = parts;
  return { metadata: { name, labels }, spec, status: { allocatable: give } };
}

const came = (one: V1Node): ClusterChange => ({
  kind: "node",
  node: one,
  old: undefined,
  difference: undefined,
});
const changed = (old: V1Node, one: V1Node): ClusterChange => ({
  kind: "node",
  node: one,
  old,
  difference: nodeDifference(old, one),
});

function pod(labels: Labels, spec: Partial<V1PodSpec> = {}): V1Pod {
  return {
    metadata: { name: "p", namespace: "default", uid: "p", labels },
    spec: { containers: [{ name: "c", image: "i" }], ...spec },
  };
}

const asking = (requests: Amounts): Partial<V1PodSpec> => ({
  containers: [{ name: "c", image: "i", resources: { requests } }],
});
const port = (hostPort: number): Partial<V1PodSpec> => ({
  containers: [
    { name: "c", image: "i", ports: [{ containerPort: 80, hostPort, protocol: "TCP" }] },
  ],
});
const tolerating = (key: string): Partial<V1PodSpec> => ({
  tolerations: [{ key, operator: "Exists" }],
});
const tainted = (key: string): V1Node["spec"] => ({ taints: [{ key, effect: "NoSchedule" }] });
const inGroup = (...values: string[]): Partial<V1PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "group", operator: "In", values }] }],
      },
    },
  },
});
const declaring = (name: string): V1Node => {
  const one = node(name, {});
  const declaredFeatures = ["RestartAllContainersOnContainerExits"];
  return { ...one, status: { ...one.status, declaredFeatures } };
};
const restarting = pod(
  {},
  {
    containers: [
      { name: "c", image: "i", restartPolicyRules: [{ action: "RestartAllContainers" }] },
    ],
  },
);
const exists = (key: string) => ({ matchExpressions: [{ key, operator: "Exists" }] });
const near = (key: string, topologyKey: string): Partial<V1PodSpec> => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: exists(key), topologyKey }],
    },
  },
});
const far = (key: string, topologyKey: string): Partial<V1PodSpec> => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: exists(key), topologyKey }],
    },
  },
});
const spread = (key: string, topologyKey: string): Partial<V1PodSpec> => ({
  topologySpreadConstraints: [
    { maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", topologyKey, labelSelector: exists(key) },
  ],
});
const freed = (gone: V1Pod): ClusterChange => ({
  kind: "pod-freed",
  demand: demandOf(gone),
  pod: gone,
});
const placed = (one: V1Pod): ClusterChange => ({ kind: "pod-placed", pod: one });

/** Whether the change wakes a Pod that the plugin refused. */
function wakes(refusedBy: string, subject: V1Pod, change: ClusterChange): boolean {
  const classes = new PodClasses(DEFAULT_PLUGINS, new LabelInterest(), new Workloads());
  return classes.of(subject).canBeHelped(change, new Set([refusedBy]));
}

const woken = true;
const asleep = false;
/** Upstream lets it sleep. Terms of placed Pods may have refused it as well, and a try costs less than to know. */
const triedAnyway = true;

describe("queueing hints, by the names of upstream's TestCoreResourceEnqueue", () => {
  //  upstream's name | plugin | the Pods that it refused | the change | who is woken
  const rows: readonly (readonly [
    string,
    string,
    ClusterChange,
    readonly (readonly [V1Pod, boolean])[],
  ])[] = [
    [
      "Pod without a required toleration to a node isn't requeued to activeQ",
      "TaintToleration",
      changed(
        node("n", { spec: tainted("not-ready") }),
        node("n", { give: { cpu: "4" }, spec: tainted("not-ready") }),
      ),
      [[pod({}), asleep]],
    ],
    [
      "Pod rejected by the TaintToleration plugin is requeued when the Node's taint is updated",
      "TaintToleration",
      changed(node("n", { spec: tainted("not-ready") }), node("n", { spec: tainted("key") })),
      [
        [pod({}, tolerating("key")), woken],
        [pod({}, tolerating("key2")), asleep],
        [pod({}), asleep],
      ],
    ],
    [
      "Pod rejected by the TaintToleration plugin is requeued when a Node that has the correspoding taint is added",
      "TaintToleration",
      came(node("n2", { spec: tainted("key") })),
      [
        [pod({}, tolerating("key")), woken],
        [pod({}), asleep],
      ],
    ],
    [
      "Pod rejected by the NodeDeclaredFeatures plugin is requeued when a Node declares more, and not for a label",
      "NodeDeclaredFeatures",
      changed(node("n", {}), declaring("n")),
      [[restarting, woken]],
    ],
    [
      "Pod rejected by the NodeDeclaredFeatures plugin is not requeued when a Node's label is updated",
      "NodeDeclaredFeatures",
      changed(declaring("n"), { ...declaring("n"), metadata: { name: "n", labels: { a: "b" } } }),
      [[restarting, asleep]],
    ],
    [
      "Pod rejected by the NodeAffinity plugin is requeued when a Node's label is updated",
      "NodeAffinity",
      changed(node("n", { labels: { group: "a" } }), node("n", { labels: { group: "b" } })),
      [
        [pod({}, inGroup("b")), woken],
        [pod({}, inGroup("c")), asleep],
      ],
    ],
    [
      "Pod rejected by the NodeAffinity plugin is not requeued when an updated Node haven't changed the 'match' verdict",
      "NodeAffinity",
      changed(
        node("n", { labels: { group: "a" } }),
        node("n", { labels: { group: "a", node: "fake" } }),
      ),
      [[pod({}, inGroup("a")), asleep]],
    ],
    [
      "Pod rejected by the NodeAffinity plugin is requeued when a Node is added",
      "NodeAffinity",
      came(node("n2", { labels: { group: "b" } })),
      [
        [pod({}, inGroup("b")), woken],
        [pod({}, inGroup("c")), asleep],
      ],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin is requeued when a Pod is deleted",
      "NodeResourcesFit",
      freed(pod({}, asking({ cpu: "2" }))),
      [[pod({}, asking({ cpu: "2" })), woken]],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin is requeued when a Node is created",
      "NodeResourcesFit",
      came(node("n2", { give: { cpu: "4" } })),
      [
        [pod({}, asking({ cpu: "4" })), woken],
        [pod({}, asking({ cpu: "5" })), asleep],
      ],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin is requeued when a Node is updated",
      "NodeResourcesFit",
      changed(node("n", {}), node("n", { give: { cpu: "4" } })),
      [
        [pod({}, asking({ cpu: "4" })), woken],
        [pod({}, asking({ cpu: "5" })), asleep],
      ],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin isn't requeued when a Node is updated without increase in the requested resources",
      "NodeResourcesFit",
      changed(node("n", { give: { cpu: "4" } }), node("n", { give: { cpu: "4", memory: "4000" } })),
      [[pod({}, asking({ cpu: "4" })), asleep]],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin is requeued when a Node is updated with increase in the requested resources",
      "NodeResourcesFit",
      changed(node("n", { give: { cpu: "4" } }), node("n", { give: { cpu: "5" } })),
      [[pod({}, asking({ cpu: "4" })), woken]],
    ],
    [
      "Pod rejected by the NodeResourcesFit plugin is requeued when a Node is updated with increase in the allowed pods number",
      "NodeResourcesFit",
      changed(node("n", { give: { pods: "2" } }), node("n", { give: { pods: "3" } })),
      [[pod({}), woken]],
    ],
    [
      "Pod rejected with hostport by the NodePorts plugin is requeued when pod with common hostport is deleted",
      "NodePorts",
      freed(pod({}, port(8080))),
      [
        [pod({}, port(8080)), woken],
        [pod({}, port(8081)), asleep],
      ],
    ],
    [
      "Pod rejected with hostport by the NodePorts plugin is requeued when new node is created",
      "NodePorts",
      came(node("n2", {})),
      [[pod({}, port(8080)), woken]],
    ],
    [
      "Pod rejected by the NodeUnschedulable plugin is requeued when the node is turned to ready",
      "NodeUnschedulable",
      changed(node("n", { spec: { unschedulable: true } }), node("n", {})),
      [[pod({}), woken]],
    ],
    [
      "Pod rejected by the NodeUnschedulable plugin isn't requeued when another unschedulable node is created",
      "NodeUnschedulable",
      came(node("n2", { spec: { unschedulable: true } })),
      [[pod({}), asleep]],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when deleting the existing pod that matches the target podAntiAffinity",
      "InterPodAffinity",
      freed(pod({ anti1: "anti1" })),
      [
        [pod({ anti1: "anti1" }, far("anti1", "node")), woken],
        [pod({ anti2: "anti2" }, far("anti2", "node")), asleep],
      ],
    ],
    [
      "Pod rejected by the PodAffinity plugin is requeued when updating the existed pod's label to make it match the pod's podAffinity",
      "InterPodAffinity",
      { kind: "pod-changed", old: pod({}), pod: pod({ aaa: "bbb" }) },
      [
        [pod({}, near("aaa", "node")), woken],
        [pod({}, near("bbb", "node")), asleep],
      ],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when deleting the existed pod's label that matches the podAntiAffinity",
      "InterPodAffinity",
      {
        kind: "pod-changed",
        old: pod({ anti1: "anti1", anti2: "anti2" }),
        pod: pod({ anti2: "anti2" }),
      },
      [
        [pod({ anti1: "anti1" }, far("anti1", "node")), woken],
        [pod({ anti2: "anti2" }, far("anti2", "node")), asleep],
      ],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when creating the node with the topologyKey label of the pod affinity",
      "InterPodAffinity",
      came(node("n2", { labels: { zone: "zone1" } })),
      [
        [pod({}, near("bbb", "zone")), woken],
        [pod({}, near("ccc", "region")), triedAnyway],
      ],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when updating the node with the topologyKey label of the pod affinity",
      "InterPodAffinity",
      changed(
        node("n", { labels: { region: "region-1" } }),
        node("n", { labels: { region: "region-2", node: "fake-node" } }),
      ),
      [
        [pod({}, near("affinity1", "node")), woken],
        [pod({}, near("affinity1", "other")), triedAnyway],
        [pod({}, near("affinity1", "region")), woken],
      ],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when updating the node with the topologyKey label of the pod anti affinity",
      "InterPodAffinity",
      changed(
        node("n", { labels: { node: "n", service: "service-a", other: "n" } }),
        node("n", { labels: { service: "service-b", region: "n", other: "n" } }),
      ),
      [
        [pod({}, far("anti1", "node")), woken],
        [pod({}, far("anti1", "service")), woken],
        [pod({}, far("anti1", "other")), triedAnyway],
      ],
    ],
    [
      "Pod rejected by the InterPodAffinity plugin is requeued when creating the node with the topologyKey label of the pod anti affinity",
      "InterPodAffinity",
      came(node("n2", { labels: { zone: "fake-node" } })),
      [
        [pod({}, far("anti1", "zone")), woken],
        [pod({}, far("anti1", "node")), woken],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a Pod with matching label is scheduled",
      "PodTopologySpread",
      placed(pod({ key1: "val" })),
      [
        [pod({ key1: "val" }, spread("key1", "node")), woken],
        [pod({ key2: "val" }, spread("key2", "node")), asleep],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a scheduled Pod label is updated to match the selector",
      "PodTopologySpread",
      { kind: "pod-changed", old: pod({ key1: "val" }), pod: pod({ key3: "val" }) },
      [
        [pod({ key1: "val" }, spread("key1", "node")), woken],
        [pod({ key2: "val" }, spread("key2", "node")), asleep],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a scheduled Pod with matching label is deleted",
      "PodTopologySpread",
      freed(pod({ key1: "val" })),
      [
        [pod({ key1: "val" }, spread("key1", "node")), woken],
        [pod({ key2: "val" }, spread("key2", "node")), asleep],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a Node with topology label is created",
      "PodTopologySpread",
      came(node("n3", { labels: { node: "fake-node" } })),
      [
        [pod({ key1: "val" }, spread("key1", "node")), woken],
        [pod({ key1: "val" }, spread("key1", "zone")), asleep],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a Node is updated to have the topology label",
      "PodTopologySpread",
      changed(
        node("n", { labels: { node: "n", region: "n", service: "service-a" } }),
        node("n", { labels: { zone: "n", region: "n", service: "service-b" } }),
      ),
      [
        [pod({ key1: "val" }, spread("key1", "node")), woken],
        [pod({ key1: "val" }, spread("key1", "zone")), woken],
        [pod({ key1: "val" }, spread("key1", "region")), asleep],
        [pod({ key1: "val" }, spread("key1", "other")), asleep],
        [pod({ key1: "val" }, spread("key1", "service")), woken],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a Node with a topology label is deleted",
      "PodTopologySpread",
      { kind: "node-gone", node: node("n", { labels: { zone: "n" } }) },
      [
        [pod({ key1: "val" }, spread("key1", "node")), asleep],
        [pod({ key1: "val" }, spread("key1", "zone")), woken],
      ],
    ],
    [
      "Pods with PodTopologySpread should be requeued when a NodeTaint of a Node with a topology label has been updated",
      "PodTopologySpread",
      changed(
        node("n", { labels: { zone: "n" }, spec: tainted("not-ready") }),
        node("n", { labels: { zone: "n" }, spec: tainted("aaa") }),
      ),
      [
        [pod({ key1: "val" }, spread("key1", "node")), asleep],
        [pod({ key1: "val" }, spread("key1", "zone")), woken],
      ],
    ],
  ];
  for (const [name, plugin, change, subjects] of rows)
    it(name, () =>
      assert.deepEqual(
        subjects.map(([subject]) => wakes(plugin, subject, change)),
        subjects.map(([, expected]) => expected),
      ),
    );
});
