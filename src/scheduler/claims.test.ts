import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type {
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1PersistentVolumeSpec,
  V1Pod,
  V1PodSpec,
  V1StorageClass,
  V1Volume,
} from "../gen/types.ts";
import type { StorageObjects } from "./claims.ts";
import { Decider } from "./decider.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

type Set = (cache: SchedulerCache) => void;
type Metadata = NonNullable<V1PersistentVolumeClaim["metadata"]>;
type ClaimSpec = NonNullable<V1PersistentVolumeClaim["spec"]>;

const mounting = (...claims: string[]): readonly V1Volume[] =>
  claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));

function pod(name: string, volumes: readonly V1Volume[], spec: Partial<V1PodSpec> = {}): V1Pod {
  const containers = [{ name: "c", image: "i" }];
  return {
    metadata: { name, namespace: "default", uid: name },
    spec: { containers, volumes, ...spec },
  };
}

function put<R extends keyof StorageObjects>(resource: R, object: StorageObjects[R]): Set {
  const { namespace = "", name = "" } = object.metadata ?? {};
  const change = { kind: "storage", resource, namespace, name, old: undefined, object };
  return ({ claims }) => claims.apply(change as never);
}

const COMPLETED = { "pv.kubernetes.io/bind-completed": "yes" };

/** `data` unless it is named. */
function claim(spec: ClaimSpec, metadata: Metadata = {}, status: object = {}): Set {
  const resources = { requests: { storage: "1Gi" } };
  return put("PersistentVolumeClaim", {
    metadata: { name: "data", namespace: "default", ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], resources, ...spec },
    status,
  });
}

const bound = (volumeName: string, metadata: Metadata = {}, spec: ClaimSpec = {}): Set =>
  claim({ volumeName, ...spec }, { annotations: COMPLETED, ...metadata }, { phase: "Bound" });

function volume(
  name: string,
  spec: V1PersistentVolumeSpec = {},
  more: Partial<V1PersistentVolume> = {},
): Set {
  return put("PersistentVolume", {
    metadata: { name, ...more.metadata },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...spec },
    status: { phase: "Available", ...more.status },
  });
}

const late = (name: string, parts: Partial<V1StorageClass> = {}): Set =>
  put("StorageClass", {
    metadata: { name },
    provisioner: "p",
    volumeBindingMode: "WaitForFirstConsumer",
    ...parts,
  });

const onNode = (...values: string[]): V1PersistentVolumeSpec => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "host", operator: "In", values }] }],
    },
  },
});

const placed =
  (one: V1Pod, node: string): Set =>
  (cache) =>
    void cache.setPod({ ...one, spec: { ...one.spec!, nodeName: node } });

function node(name: string, labels: Readonly<Record<string, string>> = {}): V1Node {
  const allocatable = { cpu: "1", pods: "9" };
  return { metadata: { name, labels: { host: name, ...labels } }, status: { allocatable } };
}

/** The node's name or the message, of the first Pod of its class and of the next. Nodes `a` and `b`. */
function outcome(
  sets: readonly Set[],
  subject: V1Pod = pod("p", mounting("data")),
  nodes: readonly V1Node[] = [node("a"), node("b")],
): string {
  const cache = new SchedulerCache();
  for (const one of nodes) cache.setNode(one);
  for (const set of sets) set(cache);
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const decider = new Decider(cache, classes, new SeededRandom(1));
  const [first, second] = [decider.decide(subject), decider.decide(subject)].map((decision) =>
    decision.kind === "bind"
      ? decision.node.name
      : decision.kind === "preempt"
        ? `preempts on ${decision.node.name}: ${decision.message}`
        : decision.message,
  );
  assert.equal(second, first);
  return first!;
}

const closed = (why: string): string => `0/2 nodes are available: ${why}. not found`;
const HOPELESS =
  "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
const none = (why: string): string => `0/2 nodes are available: ${why}. ${HOPELESS}`;

type Row = readonly [string, readonly Set[], string];

describe("VolumeBinding: claims that must be there", () => {
  const rows: readonly Row[] = [
    ["PVC does not exist", [], closed('persistentvolumeclaim "data" not found')],
    [
      "immediate claims not bound",
      [claim({})],
      closed("pod has unbound immediate PersistentVolumeClaims"),
    ],
    [
      "prebound PVC, whose volume does not know of it yet",
      [claim({ volumeName: "v", storageClassName: "late" }), late("late"), volume("v")],
      closed("pod has unbound immediate PersistentVolumeClaims"),
    ],
    [
      "a claim that is about to go",
      [bound("v", { deletionTimestamp: "2026-01-01T00:00:00Z" }), volume("v")],
      closed('persistentvolumeclaim "data" is being deleted'),
    ],
    [
      "PVC lost",
      [claim({ volumeName: "v" }, {}, { phase: "Lost" })],
      closed('persistentvolumeclaim "data" bound to non-existent persistentvolume "v"'),
    ],
    ["a volume that is not there", [bound("v")], closed('persistentvolume "v" not found')],
  ];
  for (const [what, sets, expected] of rows) it(what, () => assert.equal(outcome(sets), expected));

  const scratch = pod("p", [{ name: "scratch", ephemeral: {} }]);
  const owner = (uid: string) => [
    { apiVersion: "v1", kind: "Pod", name: "p", uid, controller: true },
  ];
  for (const [what, sets, expected] of [
    [
      "an ephemeral volume, before its claim is made",
      [],
      closed(
        'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"',
      ),
    ],
    [
      "an ephemeral volume, whose claim is somebody else's",
      [bound("v", { name: "p-scratch" }), volume("v")],
      closed("PVC default/p-scratch was not created for pod default/p (pod is not owner)"),
    ],
    [
      "an ephemeral volume",
      [bound("v", { name: "p-scratch", ownerReferences: owner("p") }), volume("v", onNode("b"))],
      "b",
    ],
  ] as readonly Row[])
    it(what, () => assert.equal(outcome(sets, scratch), expected));

  it("Pods of one template have ephemeral volumes of their own", () => {
    const sets = [
      bound("v", { name: "p-scratch", ownerReferences: owner("p") }),
      volume("v", onNode("a")),
      bound("w", { name: "q-scratch", ownerReferences: owner("q") }),
      volume("w", onNode("b")),
    ];
    const cache = new SchedulerCache();
    for (const name of ["a", "b"]) cache.setNode(node(name));
    for (const set of sets) set(cache);
    const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
    const decider = new Decider(cache, classes, new SeededRandom(1));
    const places = ["p", "q"].map((name) => {
      const metadata = { name, namespace: "default", uid: name };
      const decision = decider.decide({ metadata, spec: scratch.spec! });
      return decision.kind === "bind" ? decision.node.name : decision.message;
    });
    assert.deepEqual(places, ["a", "b"]);
  });
});

const ANY = "either node";

describe("VolumeBinding: nodes", () => {
  const waiting = claim({ storageClassName: "late" });
  const NO_VOLUME = none("2 node(s) didn't find available persistent volumes to bind");
  const byHand = late("late", { provisioner: "kubernetes.io/no-provisioner" });
  const ofClass = (spec: V1PersistentVolumeSpec): V1PersistentVolumeSpec => ({
    storageClassName: "late",
    ...spec,
  });
  const rows: readonly Row[] = [
    ["all bound", [bound("v"), volume("v", onNode("b"))], "b"],
    [
      "PV node affinity mismatch",
      [bound("v"), volume("v", onNode("z"))],
      none("2 node(s) didn't match PersistentVolume's node affinity"),
    ],
    ["a matching PV on one node", [waiting, byHand, volume("v", ofClass(onNode("b")))], "b"],
    ["no PV at all", [waiting, byHand], NO_VOLUME],
    [
      "no class",
      [claim({ storageClassName: "late" }), volume("v")],
      closed("pod has unbound immediate PersistentVolumeClaims"),
    ],
    ["a PV of another class", [waiting, byHand, volume("v")], NO_VOLUME],
    [
      "a PV that is too small",
      [waiting, byHand, volume("v", ofClass({ capacity: { storage: "1Mi" } }))],
      NO_VOLUME,
    ],
    [
      "a PV of other access modes",
      [waiting, byHand, volume("v", ofClass({ accessModes: ["ReadOnlyMany"] }))],
      NO_VOLUME,
    ],
    [
      "a PV of another mode",
      [waiting, byHand, volume("v", ofClass({ volumeMode: "Block" }))],
      NO_VOLUME,
    ],
    [
      "a PV that is not available",
      [waiting, byHand, volume("v", ofClass({}), { status: { phase: "Released" } })],
      NO_VOLUME,
    ],
    [
      "a PV of the cluster's driver that no kubelet can mount",
      [
        waiting,
        byHand,
        volume(
          "v",
          ofClass({
            csi: { driver: "volumes.skiff.dev", volumeHandle: "a/b" },
            claimRef: { namespace: "default", name: "data" },
          }),
        ),
      ],
      NO_VOLUME,
    ],
    [
      "a PV that somebody else has",
      [
        waiting,
        byHand,
        volume("v", ofClass({ claimRef: { namespace: "default", name: "other" } })),
      ],
      NO_VOLUME,
    ],
    [
      "a PV that is set aside for the claim",
      [
        waiting,
        byHand,
        volume("v", ofClass({ claimRef: { namespace: "default", name: "data" }, ...onNode("b") })),
      ],
      "b",
    ],
    [
      "a PV that the claim does not select",
      [
        claim({ storageClassName: "late", selector: { matchLabels: { tier: "fast" } } }),
        byHand,
        volume("v", ofClass({})),
      ],
      NO_VOLUME,
    ],
    [
      "two claims, one PV on each node",
      [
        waiting,
        claim({ storageClassName: "late" }, { name: "more" }),
        byHand,
        volume("v", ofClass(onNode("a"))),
        volume("w", ofClass(onNode("b"))),
      ],
      NO_VOLUME,
    ],
    ["a volume can be made", [waiting, late("late")], ANY],
    [
      "the class allows one node's place",
      [
        waiting,
        late("late", {
          allowedTopologies: [{ matchLabelExpressions: [{ key: "host", values: ["a"] }] }],
        }),
      ],
      "a",
    ],
    [
      "the claim has a selected node",
      [
        claim(
          { storageClassName: "late" },
          { annotations: { "volume.kubernetes.io/selected-node": "a" } },
        ),
        late("late"),
      ],
      "a",
    ],
    [
      "not enough space",
      [
        waiting,
        late("late"),
        put("CSIDriver", { metadata: { name: "p" }, spec: { storageCapacity: true } }),
      ],
      none("2 node(s) did not have enough free storage"),
    ],
    [
      "enough space on one node",
      [
        waiting,
        late("late"),
        put("CSIDriver", { metadata: { name: "p" }, spec: { storageCapacity: true } }),
        put("CSIStorageCapacity", {
          metadata: { name: "s", namespace: "default" },
          storageClassName: "late",
          nodeTopology: { matchLabels: { host: "a" } },
          capacity: "1Gi",
        }),
      ],
      "a",
    ],
  ];
  const both = pod("p", mounting("data", "more"));
  for (const [what, sets, expected] of rows)
    it(what, () => {
      const found = outcome(sets, what.startsWith("two claims") ? both : undefined);
      if (expected === ANY) assert.match(found, /^[ab]$/);
      else assert.equal(found, expected);
    });

  it("what was assumed for one Pod is no volume for the next", () => {
    const cache = new SchedulerCache();
    for (const set of [waiting, byHand, volume("v", ofClass({}))]) set(cache);
    cache.setNode(node("a"));
    const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
    const decider = new Decider(cache, classes, new SeededRandom(1));
    const decide = () => decider.decide(pod("p", mounting("data"))).kind;
    assert.deepEqual([decide(), decide()], ["bind", "bind"]);
    const free = cache.claims.volume("v")!;
    const claimRef = { namespace: "default", name: "other" };
    cache.claims.assumeVolume({ ...free, spec: { ...free.spec, claimRef } });
    assert.equal(decide(), "unschedulable");
    cache.claims.restoreVolume("v");
    assert.equal(decide(), "bind");
  });
});

describe("VolumeZone", () => {
  const zones = [
    node("a", { "topology.kubernetes.io/zone": "z1" }),
    node("b", { "topology.kubernetes.io/zone": "z2" }),
  ];
  const inZone = (value: string, label = "topology.kubernetes.io/zone"): Set =>
    volume("v", {}, { metadata: { labels: { [label]: value } } });
  for (const [what, set, expected] of [
    ["label zone matched", inZone("z2"), "b"],
    [
      "beta zone label matched by the newer one",
      inZone("z1", "failure-domain.beta.kubernetes.io/zone"),
      "a",
    ],
    ["one of two zones", inZone("z2__z3"), "b"],
    ["no zone matches", inZone("z9"), none("2 node(s) had no available volume zone")],
  ] as const)
    it(what, () => assert.equal(outcome([bound("v"), set], undefined, zones), expected));

  it("nodes without zones do for all", () =>
    assert.match(outcome([bound("v"), inZone("z9")]), /^[ab]$/));
});

describe("VolumeRestrictions", () => {
  const other = pod("other", mounting("data"), { priority: 0 });
  const only = bound("v", {}, { accessModes: ["ReadWriteOncePod"] });
  const TAKEN =
    "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

  it("a ReadWriteOncePod claim that a Pod has, anywhere", () =>
    assert.equal(
      outcome([only, volume("v"), placed(other, "a")]),
      `0/2 nodes are available: ${TAKEN}. no new claims to deallocate, preemption: ` +
        "0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    ));

  it("a Pod of higher priority takes it, and nobody else", () =>
    assert.equal(
      outcome(
        [only, volume("v"), placed(other, "b"), placed(pod("idle", []), "a")],
        pod("p", mounting("data"), { priority: 1 }),
      ),
      `preempts on b: 0/2 nodes are available: ${TAKEN}.`,
    ));

  it("a claim of that name elsewhere is another", () => {
    const foreign = { ...other, metadata: { ...other.metadata, namespace: "else" } };
    assert.match(outcome([only, volume("v"), placed(foreign, "a")]), /^[ab]$/);
  });

  const disk = (source: Partial<V1Volume>): readonly V1Volume[] => [{ name: "disk", ...source }];
  const gce = (readOnly: boolean) => disk({ gcePersistentDisk: { pdName: "d", readOnly } });
  const ebs = disk({ awsElasticBlockStore: { volumeID: "d", readOnly: true } });
  const iscsi = (iqn: string) => disk({ iscsi: { iqn, lun: 0, targetPortal: "t" } });
  const rbd = (image: string, ...monitors: string[]) => disk({ rbd: { image, monitors } });
  for (const [what, held, wanted, isTaken] of [
    ["GCE disks", gce(false), gce(true), true],
    ["GCE disks that are only read", gce(true), gce(true), false],
    ["EBS disks, read or not", ebs, ebs, true],
    ["one iSCSI name", iscsi("i"), iscsi("i"), true],
    ["two iSCSI names", iscsi("i"), iscsi("j"), false],
    ["an RBD image that one monitor knows", rbd("i", "m", "n"), rbd("i", "n"), true],
    ["an RBD image of other monitors", rbd("i", "m"), rbd("i", "n"), false],
    ["disks of two kinds", ebs, gce(false), false],
  ] as const)
    it(`${what}: ${isTaken ? "not on one node" : "no matter"}`, () => {
      const found = outcome([placed(pod("other", held), "a")], pod("p", wanted), [node("a")]);
      assert.equal(found === "a", !isTaken);
      if (isTaken)
        assert.match(found, /^0\/1 nodes are available: 1 node\(s\) had no available disk\./);
    });
});

describe("NodeVolumeLimits", () => {
  const limit = (name: string, count: number): Set =>
    put("CSINode", {
      metadata: { name },
      spec: { drivers: [{ name: "d", nodeID: name, allocatable: { count } }] },
    });
  const csi = (name: string): Set =>
    volume(name, { csi: { driver: "d", volumeHandle: `h-${name}` } });
  const used = [bound("w", { name: "used" }), csi("w"), placed(pod("q", mounting("used")), "a")];
  const limits = [limit("a", 1), limit("b", 0)];
  const FULL = "2 node(s) exceed max volume count";
  const rows: readonly Row[] = [
    ["fits", [limit("a", 1), limit("b", 0), bound("v"), csi("v")], "a"],
    [
      "doesn't when node volume limit <= pods CSI volume",
      [...limits, bound("v"), csi("v"), ...used],
      FULL,
    ],
    ["the volume of a Pod there counts once", [...limits, ...used, bound("w")], "a"],
    [
      "volumes that are attached for nobody count",
      [
        ...limits,
        bound("v"),
        csi("v"),
        csi("w"),
        put("VolumeAttachment", {
          metadata: { name: "x" },
          spec: { attacher: "d", nodeName: "a", source: { persistentVolumeName: "w" } },
        }),
      ],
      FULL,
    ],
    [
      "a volume that is still to be made counts",
      [...limits, claim({ storageClassName: "late" }), late("late", { provisioner: "d" }), ...used],
      FULL,
    ],
    [
      "volumes of no driver count nothing",
      [...limits, ...used, bound("v"), volume("v", onNode("a"))],
      "a",
    ],
  ];
  for (const [what, sets, expected] of rows)
    it(what, () => {
      const found = outcome(sets);
      if (expected === FULL)
        assert.ok(found.startsWith(`0/2 nodes are available: ${FULL}.`), found);
      else assert.equal(found, expected);
    });
});
