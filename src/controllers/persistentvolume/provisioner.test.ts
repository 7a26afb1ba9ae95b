import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { standardClass } from "../../api/storage/default-objects.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { volumeProvisioner } from "./provisioner.ts";

const KEY = { namespace: "d", name: "c" };
const ASKED = { "volume.kubernetes.io/storage-provisioner": "volumes.skiff.dev" };
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
): StaticCache {
  const cache = new StaticCache()
    .put(PersistentVolumeClaim, of)
    .put(StorageClass, { reclaimPolicy: "Delete", ...standardClass, ...more });
  for (const [name, machine] of nodes.map((text) => text.split(" ")))
    cache.put(
      Node,
      node(name, {
        metadata: { labels: machine ? { "topology.skiff.dev/machine": machine } : {} },
      }),
    );
  return cache;
}

function planOf(cache: StaticCache) {
  const observed = volumeProvisioner.observe(cache, KEY);
  return observed && volumeProvisioner.plan(observed, 0);
}

const made = (write: PlannedWrite | undefined): PersistentVolume =>
  (write as { object: PersistentVolume } | undefined)?.object ?? {};

/** The machine of the volume that is made, or what is said. */
function row(what: string, cache: StaticCache, expected: string): void {
  it(`${what} → ${expected || "nothing"}`, () => {
    const { writes = [], events = [] } = planOf(cache) ?? {};
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
    const cache = world(claim(ASKED));
    cache.put(PersistentVolume, made(planOf(cache)?.writes?.[0]));
    assert.equal(planOf(cache), undefined);
  });

  it("lets the scheduler choose anew where the chosen node cannot do it", () => {
    const { writes } = planOf(world(claim({ ...ASKED, [SELECTED]: "a" }), WAITS))!;
    assert.deepEqual(made(writes?.[0]).metadata?.annotations, ASKED);
  });

  it("looks again when a node of a machine comes", () => {
    const cache = world(claim(ASKED), {}, []);
    const trigger = volumeProvisioner.triggers.find(({ kind }) => kind === Node)!;
    const come = (labels: Record<string, string>) =>
      trigger.keys(
        {
          kind: Node,
          key: { namespace: "", name: "n" },
          old: undefined,
          object: node("n", { metadata: { labels } }),
        },
        cache,
      );
    assert.deepEqual(come({ "topology.skiff.dev/machine": "m" }), [KEY]);
    assert.deepEqual(come({}), []);
  });
});
