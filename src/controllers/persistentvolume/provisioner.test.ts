import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { followLoop, type FollowedLoop } from "../../../test/support/follow-loop.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { standardClass } from "../../api/storage/default-objects.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { volumeProvisionerLoop } from "./provisioner.ts";

const KEY = { namespace: "d", name: "c" };
const ASKED = { "volume.kubernetes.io/storage-provisioner": "volumes.skiff.dev" };
const MACHINE = "topology.skiff.dev/machine";
const SELECTED = "volume.kubernetes.io/selected-node";

const claim = (annotations: Record<string, string>, spec: object = {}): PersistentVolumeClaim => ({
  metadata: { ...KEY, uid: "u", resourceVersion: "7", annotations },
  spec: {
    storageClassName: "standard",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "3Gi" } },
    ...spec,
  },
});

/** Nodes `a` without a machine, `b` of machine `one`, `c` of machine `two`, and the class. */
function world(
  of: PersistentVolumeClaim,
  more: Partial<StorageClass> = {},
  nodes: readonly string[] = ["a", "b one", "c two"],
): FollowedLoop {
  const followed = followLoop(volumeProvisionerLoop);
  const { cache } = followed;
  cache
    .put(PersistentVolumeClaim, of)
    .put(StorageClass, { reclaimPolicy: "Delete", ...standardClass, ...more });
  for (const [name, machine] of nodes.map((text) => text.split(" ")))
    cache.put(
      Node,
      node(name, {
        metadata: { labels: machine ? { "topology.skiff.dev/machine": machine } : {} },
      }),
    );
  return followed;
}

const planOf = ({ decide }: FollowedLoop): Plan | undefined => decide("d/c")?.plan;

const made = (write: PlannedWrite | undefined): PersistentVolume =>
  (write as { object: PersistentVolume } | undefined)?.object ?? {};

/** The machine of the volume that is made, or what is said. */
function row(what: string, of: FollowedLoop, expected: string): void {
  it(`${what} → ${expected || "nothing"}`, () => {
    const { writes = [], events = [] } = planOf(of) ?? {};
    const terms = made(writes[0])?.spec?.nodeAffinity?.required?.nodeSelectorTerms;
    const machine = terms?.[0]?.matchExpressions?.[0]?.values?.join();
    const said = events.map(({ message }) => message);
    assert.equal(machine ?? said.join(), expected);
  });
}

const WAITS = { volumeBindingMode: "WaitForFirstConsumer" };
const NO = 'failed to provision volume with StorageClass "standard": ';

describe("volumeProvisioner", () => {
  row("at once, the first node's machine", world(claim(ASKED)), "one");
  row("not asked", world(claim({})), "");
  row("bound", world(claim(ASKED, { volumeName: "v" })), "");
  row("of another's class", world(claim(ASKED), { provisioner: "x" }), "");
  row("waits for a Pod", world(claim(ASKED), WAITS), "");
  row("of the Pod's node", world(claim({ ...ASKED, [SELECTED]: "c" }), WAITS), "two");
  row(
    "of a node that has gone",
    world(claim({ ...ASKED, [SELECTED]: "z" }), WAITS),
    `${NO}node "z" cannot have it`,
  );
  row(
    "a device",
    world(claim(ASKED, { volumeMode: "Block" })),
    `${NO}the driver has folders, no block devices`,
  );
  row(
    "a copy",
    world(claim(ASKED, { dataSource: { kind: "PersistentVolumeClaim", name: "x" } })),
    `${NO}the driver makes empty volumes only, and none from a data source`,
  );
  row(
    "no node",
    world(claim(ASKED), {}, []),
    `${NO}error generating accessibility requirements: no available topology found`,
  );
  const two = { matchLabelExpressions: [{ key: "topology.skiff.dev/machine", values: ["two"] }] };
  row("where the class allows", world(claim(ASKED), { allowedTopologies: [two] }), "two");

  it("makes what the claim asks for, and says so", () => {
    const { writes, events } = planOf(world(claim(ASKED), { mountOptions: ["ro"] }))!;
    assert.deepEqual(made(writes?.[0]), {
      metadata: {
        name: "pvc-u",
        annotations: { "pv.kubernetes.io/provisioned-by": "volumes.skiff.dev" },
        finalizers: ["external-provisioner.volume.kubernetes.io/finalizer"],
      },
      spec: {
        capacity: { storage: "3Gi" },
        csi: { driver: "volumes.skiff.dev", volumeHandle: "pvc-u" },
        accessModes: ["ReadWriteOnce"],
        claimRef: {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          ...KEY,
          uid: "u",
          resourceVersion: "7",
        },
        persistentVolumeReclaimPolicy: "Delete",
        storageClassName: "standard",
        mountOptions: ["ro"],
        volumeMode: "Filesystem",
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  { key: "topology.skiff.dev/machine", operator: "In", values: ["one"] },
                ],
              },
            ],
          },
        },
      },
    });
    assert.deepEqual(
      events?.map(({ reason, message }) => `${reason}: ${message}`),
      [
        'Provisioning: External provisioner is provisioning volume for claim "d/c"',
        "ProvisioningSucceeded: Successfully provisioned volume pvc-u",
        `ProvisioningFailed: ${NO}{error}`,
      ],
    );
  });

  it("makes it once", () => {
    const of = world(claim(ASKED));
    of.cache.put(PersistentVolume, made(planOf(of)?.writes?.[0]));
    assert.equal(planOf(of), undefined);
  });

  it("lets the scheduler choose anew where the chosen node cannot do it", () => {
    const { writes } = planOf(world(claim({ ...ASKED, [SELECTED]: "a" }), WAITS))!;
    assert.deepEqual(made(writes?.[0]).metadata?.annotations, ASKED);
  });

  it("a claim that no node could have looks again when a node of a machine comes", () => {
    const of = world(claim(ASKED), {}, []);
    assert.equal(planOf(of)?.events?.[0]?.reason, "ProvisioningFailed");
    of.woken();
    of.cache.put(Node, node("n"));
    assert.equal(of.woken(), "");
    of.cache.put(Node, node("n", { metadata: { labels: { [MACHINE]: "m" } } }));
    assert.equal(of.woken(), "d/c");
    planOf(of);
    of.cache.put(Node, node("o", { metadata: { labels: { [MACHINE]: "o" } } }));
    assert.equal(of.woken(), "");
  });

  it("only nodes that its class allows", () => {
    const of = world(claim(ASKED), { allowedTopologies: [two] }, ["b one"]);
    planOf(of);
    of.woken();
    of.cache.put(Node, node("c", { metadata: { labels: { [MACHINE]: "one" } } }));
    assert.equal(of.woken(), "");
    of.cache.put(Node, node("d", { metadata: { labels: { [MACHINE]: "two" } } }));
    assert.equal(of.woken(), "d/c");
  });

  it("a class wakes the claims that wait for a volume of it", () => {
    const of = world(claim(ASKED));
    of.cache.put(PersistentVolumeClaim, { ...claim({}), metadata: { ...KEY, name: "other" } });
    of.woken();
    of.cache.put(StorageClass, { ...standardClass, reclaimPolicy: "Retain" });
    assert.equal(of.woken(), "d/c");
  });

  it("of 1,000 nodes and 5,000 claims, a change is a look at what it concerns", () => {
    const of = followLoop(volumeProvisionerLoop);
    const { cache } = of;
    cache.put(StorageClass, { ...standardClass, reclaimPolicy: "Delete" });
    const labels = { [MACHINE]: "m" };
    const nodes = Array.from({ length: 1000 }, (_, at) => `n${at}`);
    for (const name of nodes) cache.put(Node, node(name, { metadata: { labels } }));
    const names = Array.from({ length: 5000 }, (_, at) => `c${at}`);
    for (const name of names)
      cache.put(PersistentVolumeClaim, {
        ...claim(ASKED),
        metadata: { ...claim(ASKED).metadata, name, uid: name },
      });
    assert.equal(of.wokenKeys().length, 5000);
    assert.ok(of.reads(() => names.forEach((name) => of.writes(`d/${name}`))) <= 5000 * 3);
    const changes = (): void => {
      const conditions = [{ type: "Ready", status: "Unknown" }];
      cache.put(Node, node("n7", { metadata: { labels }, status: { conditions } }));
      cache.put(Node, node("new", { metadata: { labels } }));
    };
    assert.equal(of.reads(changes), 0);
    assert.equal(of.woken(), "");
  });
});
