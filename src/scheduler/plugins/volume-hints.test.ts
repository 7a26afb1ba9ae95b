import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  V1CSINode,
  V1Node,
  V1PersistentVolume,
  V1Pod,
  V1StorageClass,
  V1Volume,
} from "../../gen/types.ts";
import type { StorageObjects } from "../claims.ts";
import { demandOf } from "../demand.ts";
import type { ClusterChange } from "../framework.ts";
import { LabelInterest } from "../label-interest.ts";
import { nodeDifference } from "../node-info.ts";
import { DEFAULT_PLUGINS } from "../plugin-args.ts";
import { PodClasses } from "../pod-class.ts";
import { Workloads } from "../workloads.ts";

const mounting = (claimName: string): V1Volume => ({
  name: claimName,
  persistentVolumeClaim: { claimName },
});

function pod(name: string, ...volumes: V1Volume[]): V1Pod {
  const containers = [{ name: "c", image: "i" }];
  return { metadata: { name, namespace: "ns", uid: name }, spec: { containers, volumes } };
}

/** `old` and `object` as a watch tells them; both `undefined` never. */
function storage<R extends keyof StorageObjects>(
  resource: R,
  old: StorageObjects[R] | undefined,
  object: StorageObjects[R] | undefined,
): ClusterChange {
  const { namespace = "", name = "" } = (object ?? old)!.metadata ?? {};
  return { kind: "storage", resource, namespace, name, old, object } as unknown as ClusterChange;
}

const claim = (name: string, namespace = "ns", labels = {}) => ({
  metadata: { name, namespace, labels },
});
const csiNode = (count: number): V1CSINode => ({
  metadata: { name: "n" },
  spec: { drivers: [{ name: "d", nodeID: "n", allocatable: { count } }] },
});
const storageClass = (parts: Partial<V1StorageClass> = {}): V1StorageClass => ({
  metadata: { name: "late" },
  provisioner: "p",
  volumeBindingMode: "WaitForFirstConsumer",
  ...parts,
});
const inZone = (zone: string): V1PersistentVolume => ({
  metadata: { name: "v", labels: { "topology.kubernetes.io/zone": zone } },
});
const driver = (storageCapacity: boolean) => ({
  metadata: { name: "d" },
  spec: { storageCapacity },
});
const capacity = (text: string) => ({
  metadata: { name: "c", namespace: "ns" },
  storageClassName: "late",
  capacity: text,
});
const attachment = {
  metadata: { name: "x" },
  spec: { attacher: "d", nodeName: "n", source: { persistentVolumeName: "v" } },
};
const node = (labels: Readonly<Record<string, string>>, cpu = "1"): V1Node => ({
  metadata: { name: "n", labels },
  status: { allocatable: { cpu } },
});
const nodeChange = (old: V1Node | undefined, now: V1Node): ClusterChange => ({
  kind: "node",
  node: now,
  old,
  difference: old && nodeDifference(old, now),
});
const freed = (gone: V1Pod): ClusterChange => ({
  kind: "pod-freed",
  demand: demandOf(gone),
  pod: gone,
});

const subject = pod("p", mounting("data"));
const gce = (pdName: string): V1Volume => ({ name: "d", gcePersistentDisk: { pdName } });

/** Whether the change wakes a Pod that the plugin refused. */
function wakes(refusedBy: string, change: ClusterChange, waiting = subject): boolean {
  const classes = new PodClasses(DEFAULT_PLUGINS, new LabelInterest(), new Workloads());
  return classes.of(waiting).canBeHelped(change, new Set([refusedBy]));
}

type Row = readonly [string, ClusterChange, boolean, V1Pod?];
const [woken, asleep] = [true, false];

function table(plugin: string, rows: readonly Row[]): void {
  describe(`${plugin}: what wakes a Pod that it refused`, () => {
    for (const [what, change, expected, waiting] of rows)
      it(what, () => assert.equal(wakes(plugin, change, waiting), expected));
  });
}

table("VolumeBinding", [
  ["pvc was created", storage("PersistentVolumeClaim", undefined, claim("data")), woken],
  [
    "pvc was updated, the pod uses it",
    storage("PersistentVolumeClaim", claim("data"), claim("data", "ns", { a: "b" })),
    woken,
  ],
  [
    "pvc was updated, but pod refers no pvc of that name",
    storage("PersistentVolumeClaim", undefined, claim("other")),
    asleep,
  ],
  [
    "pvc was updated, but pod and pvc are in different namespaces",
    storage("PersistentVolumeClaim", undefined, claim("data", "else")),
    asleep,
  ],
  ["pvc was deleted", storage("PersistentVolumeClaim", claim("data"), undefined), asleep],
  [
    "the claim of a generic ephemeral volume was created",
    storage("PersistentVolumeClaim", undefined, claim("p-scratch")),
    woken,
    pod("p", { name: "scratch", ephemeral: {} }),
  ],
  ["any volume came", storage("PersistentVolume", undefined, inZone("z")), woken],
  ["a volume went", storage("PersistentVolume", inZone("z"), undefined), asleep],
  ["sc was created", storage("StorageClass", undefined, storageClass()), woken],
  [
    "sc allowedTopologies was updated",
    storage("StorageClass", storageClass(), storageClass({ allowedTopologies: [{}] })),
    woken,
  ],
  [
    "sc was updated, but not its topologies",
    storage("StorageClass", storageClass(), storageClass({ mountOptions: ["ro"] })),
    asleep,
  ],
  ["csinode was created", storage("CSINode", undefined, csiNode(1)), woken],
  ["csinode was updated", storage("CSINode", csiNode(1), csiNode(2)), asleep],
  ["storage capacity is still enabled", storage("CSIDriver", driver(true), driver(true)), asleep],
  ["storage capacity is disabled", storage("CSIDriver", driver(true), driver(false)), woken],
  ["storage capacity is enabled", storage("CSIDriver", driver(false), driver(true)), asleep],
  ["new capacity", storage("CSIStorageCapacity", undefined, capacity("1Gi")), woken],
  ["capacity increased", storage("CSIStorageCapacity", capacity("1Gi"), capacity("2Gi")), woken],
  [
    "capacity doesn't increase",
    storage("CSIStorageCapacity", capacity("2Gi"), capacity("2Gi")),
    asleep,
  ],
  ["a node came", nodeChange(undefined, node({})), woken],
  ["a node has other labels", nodeChange(node({}), node({ a: "b" })), woken],
  ["a node has more room", nodeChange(node({}), node({}, "2")), asleep],
  ["a pod went", freed(pod("q", mounting("data"))), asleep],
]);

table("VolumeZone", [
  ["sc with late binding was created", storage("StorageClass", undefined, storageClass()), woken],
  [
    "sc of another mode was created",
    storage("StorageClass", undefined, storageClass({ volumeBindingMode: "Immediate" })),
    asleep,
  ],
  ["sc was updated", storage("StorageClass", storageClass(), storageClass()), asleep],
  [
    "pvc of the pod was updated",
    storage("PersistentVolumeClaim", claim("data"), claim("data")),
    woken,
  ],
  ["another pvc was updated", storage("PersistentVolumeClaim", claim("x"), claim("x")), asleep],
  ["pv was created", storage("PersistentVolume", undefined, inZone("z")), woken],
  ["pv is in another zone now", storage("PersistentVolume", inZone("z"), inZone("y")), woken],
  ["pv changed, but not its zone", storage("PersistentVolume", inZone("z"), inZone("z")), asleep],
  ["a node has other labels", nodeChange(node({}), node({ a: "b" })), woken],
  ["a node has more room", nodeChange(node({}), node({}, "2")), asleep],
]);

table("NodeVolumeLimits", [
  ["csinode was created", storage("CSINode", undefined, csiNode(1)), woken],
  ["csinode allows more", storage("CSINode", csiNode(1), csiNode(2)), woken],
  ["csinode allows fewer", storage("CSINode", csiNode(2), csiNode(1)), asleep],
  ["a pod with a claim went", freed(pod("q", mounting("x"))), woken],
  ["a pod without volumes went", freed(pod("q")), asleep],
  ["pvc of the pod was created", storage("PersistentVolumeClaim", undefined, claim("data")), woken],
  ["another pvc was created", storage("PersistentVolumeClaim", undefined, claim("x")), asleep],
  ["a volume was detached", storage("VolumeAttachment", attachment, undefined), woken],
  ["a volume was attached", storage("VolumeAttachment", undefined, attachment), asleep],
  ["a node came", nodeChange(undefined, node({})), woken],
]);

table("VolumeRestrictions", [
  ["a pod with the same claim went", freed(pod("q", mounting("data"))), woken],
  ["a pod with another claim went", freed(pod("q", mounting("x"))), asleep],
  [
    "a pod with the claim of that name elsewhere went",
    freed({ ...pod("q", mounting("data")), metadata: { name: "q", namespace: "else" } }),
    asleep,
  ],
  ["a pod with a conflicting disk went", freed(pod("q", gce("d"))), woken, pod("p", gce("d"))],
  ["a pod with another disk went", freed(pod("q", gce("e"))), asleep, pod("p", gce("d"))],
  ["pvc of the pod was created", storage("PersistentVolumeClaim", undefined, claim("data")), woken],
  [
    "pvc of the pod was updated",
    storage("PersistentVolumeClaim", claim("data"), claim("data")),
    asleep,
  ],
  ["a node came", nodeChange(undefined, node({})), woken],
  ["a node changed", nodeChange(node({}), node({ a: "b" })), asleep],
]);
