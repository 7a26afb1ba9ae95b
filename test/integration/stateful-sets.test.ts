// StatefulSets on a real API server with all controllers; kubelets are played. Titles are upstream's, of its end-to-end tests.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ControllerRevision } from "../../src/api/apps/controller-revision.ts";
import { StatefulSet } from "../../src/api/apps/stateful-set.ts";
import { Lease } from "../../src/api/coordination/lease.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Event } from "../../src/api/core/event.ts";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../src/api/core/pod.ts";
import type { Kind } from "../../src/api/machinery/kind.ts";
import { keyOf, type KubeObject, type OwnerReference } from "../../src/api/machinery/object.ts";
import { MACHINE_LABEL } from "../../src/api/storage/own-volumes.ts";
import {
  DefaultStorageClass,
  storageObjectInUseProtection,
} from "../../src/apiserver/admission/storage.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { formatMicroTime, formatTime } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import type { V1StatefulSetSpec } from "../../src/gen/types.ts";
import { node } from "../support/builders.ts";
import { withControllers, type ControllersWorld } from "../support/controllers-world.ts";

const SET = { namespace: "default", name: "ss" };
const LABELS = { foo: "bar", baz: "blah" };

/** Between two looks of the kubelet. */
const LOOK_MS = 250;
/** Between two signs of life of the node. */
const RENEW_MS = 10_000;

class World {
  readonly client: Client;
  readonly now: () => string;
  readonly pass: (ms?: number) => Promise<void>;
  /** Ends all controllers and starts them anew. */
  readonly restart: () => Promise<void>;
  /** Pods whose containers do not become ready. */
  readonly unready = new Set<string>();

  constructor(
    client: Client,
    now: () => string,
    pass: World["pass"],
    restart: () => Promise<void>,
  ) {
    this.client = client;
    this.now = now;
    this.pass = pass;
    this.restart = restart;
  }

  create(spec: Partial<V1StatefulSetSpec> = {}): Promise<StatefulSet> {
    return this.client.create(StatefulSet, {
      metadata: SET,
      spec: {
        serviceName: "test",
        replicas: 3,
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: { containers: [{ name: "web", image: "web:1" }] },
        },
        ...spec,
      },
    });
  }

  set(): Promise<StatefulSet> {
    return this.client.get(StatefulSet, SET);
  }

  /** Changes the set's spec. */
  change(spec: object): Promise<StatefulSet> {
    return this.client.patch(StatefulSet, SET, { type: "merge", body: { spec } });
  }

  pod(ordinal: number): Promise<Pod> {
    return this.client.get(Pod, { namespace: "default", name: `ss-${ordinal}` });
  }

  async own(ordinal: number, ownerReferences: readonly OwnerReference[] | null): Promise<void> {
    const key = { namespace: "default", name: `datadir-ss-${ordinal}` };
    const body = { metadata: { ownerReferences } };
    await this.client.patch(PersistentVolumeClaim, key, { type: "merge", body });
  }

  /** `ss-0 ss-1`, by name. */
  async names(kind: Kind): Promise<string> {
    const { items } = await this.client.list(kind, { namespace: "default" });
    return items
      .map(({ metadata }) => metadata?.name)
      .sort()
      .join(" ");
  }

  claims(): Promise<string> {
    return this.names(PersistentVolumeClaim);
  }

  async owners(ordinal: number): Promise<readonly OwnerReference[]> {
    const key = { namespace: "default", name: `datadir-ss-${ordinal}` };
    return (await this.client.get(PersistentVolumeClaim, key)).metadata?.ownerReferences ?? [];
  }

  async orphan(ordinal: number): Promise<void> {
    const body = { metadata: { ownerReferences: null } };
    await this.client.patch(Pod, keyOf(await this.pod(ordinal)), { type: "merge", body });
  }

  /** What was said of the set, as often: `FailedUpdate: …`. */
  async said(): Promise<readonly string[]> {
    const { items } = await this.client.list(Event);
    return items
      .filter(({ involvedObject }) => involvedObject.name === "ss")
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** What a kubelet does to every Pod: one that is going goes, another becomes ready. */
  async look(): Promise<void> {
    for (const pod of (await this.client.list(Pod)).items) {
      const key = keyOf(pod);
      if (pod.metadata?.deletionTimestamp) {
        await this.client.delete(Pod, key, { graceSeconds: 0 });
        continue;
      }
      if (pod.status?.phase === "Running" && !this.unready.has(key.name)) {
        const ready = pod.status.conditions?.find(({ type }) => type === "Ready");
        if (ready?.status === "True") continue;
      }
      if (!pod.spec?.nodeName) {
        const target = { apiVersion: "v1", kind: "Node", name: "n" };
        await this.client.createSubresource(Pod, key, "binding", {
          metadata: key,
          target,
        } as KubeObject);
      }
      const isReady = this.unready.has(key.name) ? "False" : "True";
      const conditions = [{ type: "Ready", status: isReady, lastTransitionTime: this.now() }];
      const status = { phase: "Running", conditions };
      const body = { status };
      await this.client.patch(Pod, key, { type: "merge", body }, { subresource: "status" });
    }
  }

  async settle(looks = 24): Promise<void> {
    for (let i = 0; i < looks; i++) {
      await this.pass(LOOK_MS);
      await this.look();
    }
    await this.pass();
  }
}

/** A body with a server and all controllers, and one node that gives signs of life, on virtual time. */
function inWorld(body: (world: World) => Promise<void>): () => Promise<void> {
  const run = async ({ client, clock, restart }: ControllersWorld): Promise<void> => {
    const lease = { namespace: "kube-node-lease", name: "n" };
    let renewedAt = clock.now();
    const pass = async (ms = 2000): Promise<void> => {
      for (let left = ms; left > 0; left -= LOOK_MS) {
        await clock.advance(Math.min(LOOK_MS, left));
        if (clock.now() - renewedAt < RENEW_MS) continue;
        renewedAt = clock.now();
        const body = { spec: { renewTime: formatMicroTime(renewedAt) } };
        await client.patch(Lease, lease, { type: "merge", body });
      }
    };
    await client.create(Node, node("n", { metadata: { labels: { [MACHINE_LABEL]: "m" } } }));
    const spec = { holderIdentity: "n", renewTime: formatMicroTime(renewedAt) };
    await client.create(Lease, { metadata: lease, spec });
    await pass();
    await body(new World(client, () => formatTime(clock.now()), pass, restart));
  };
  return withControllers(run, {
    admission: ({ parts }) => [
      new DefaultStorageClass(new InProcessCache(parts)),
      storageObjectInUseProtection,
    ],
  });
}

/** A spec with claims. */
function claiming(policy: object = {}): Partial<V1StatefulSetSpec> {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return {
    volumeClaimTemplates: [{ metadata: { name: "datadir" }, spec }],
    persistentVolumeClaimRetentionPolicy: policy,
  };
}

const claimsOf = (...ordinals: readonly number[]): string =>
  ordinals.map((ordinal) => `datadir-ss-${ordinal}`).join(" ");

const REFERENCE = { apiVersion: "apps/v1", kind: "StatefulSet", name: "ss" };
const ownerOf = (uid: string): OwnerReference => ({
  ...REFERENCE,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

describe("Non-retain StatefulSetPersistentVolumeClaimPolicy", () => {
  it(
    "should delete PVCs with a WhenDeleted policy",
    inWorld(async (world) => {
      const { metadata } = await world.create(claiming({ whenDeleted: "Delete" }));
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0, 1, 2));
      for (const ordinal of [0, 1, 2])
        assert.deepEqual(await world.owners(ordinal), [ownerOf(metadata!.uid!)]);
      await world.client.delete(StatefulSet, SET);
      await world.settle();
      assert.equal(await world.claims(), "");
    }),
  );

  it(
    "should delete PVCs with a OnScaledown policy",
    inWorld(async (world) => {
      await world.create(claiming({ whenScaled: "Delete" }));
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0, 1, 2));
      await world.change({ replicas: 1 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0));
    }),
  );

  it(
    "should not delete PVC with OnScaledown policy if another controller owns the PVC",
    inWorld(async (world) => {
      await world.create(claiming());
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0, 1, 2));
      const dummy = { namespace: "default", name: "dummy-controller" };
      const { metadata } = await world.client.create(ConfigMap, { metadata: dummy });
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: dummy.name, uid: metadata!.uid! };
      await world.own(1, [{ ...owner, controller: true }]);
      const delete_ = { whenScaled: "Delete" };
      await world.change({ persistentVolumeClaimRetentionPolicy: delete_, replicas: 0 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(1));
      await world.own(1, null);
      await world.change({ replicas: 2 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0, 1));
      await world.change({ replicas: 1 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0));
    }),
  );

  it(
    "should delete PVCs after adopting pod (WhenDeleted)",
    inWorld(async (world) => {
      const { metadata } = await world.create(claiming({ whenDeleted: "Delete" }));
      await world.settle();
      await world.orphan(2);
      await world.settle();
      assert.equal((await world.pod(2)).metadata?.ownerReferences?.[0]?.uid, metadata!.uid);
      await world.client.delete(StatefulSet, SET);
      await world.settle();
      assert.equal(await world.claims(), "");
    }),
  );

  it(
    "should delete PVCs after adopting pod (WhenScaled)",
    inWorld(async (world) => {
      await world.create(claiming({ whenScaled: "Delete" }));
      await world.settle();
      await world.orphan(2);
      await world.change({ replicas: 1 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0));
    }),
  );

  it(
    "should not delete PVCs when there is another controller",
    inWorld(async (world) => {
      const { metadata } = await world.create({ ...claiming(), replicas: 4 });
      await world.settle();
      assert.equal(await world.claims(), claimsOf(0, 1, 2, 3));
      const random = { namespace: "default", name: "random-owner" };
      const { metadata: made } = await world.client.create(ConfigMap, { metadata: random });
      const external = { apiVersion: "v1", kind: "ConfigMap", name: random.name, uid: made!.uid! };
      await world.own(1, [external]);
      const stale = { ...ownerOf("9d86d6ae-4e06-4ff1-bc55-f77f52e272e9"), name: "unknown" };
      const third = { namespace: "default", name: "datadir-ss-3" };
      const body = { metadata: { ownerReferences: [stale], finalizers: ["keep-with/stale-ref"] } };
      await world.client.patch(PersistentVolumeClaim, third, { type: "merge", body });
      await world.settle();
      assert.deepEqual(await world.owners(1), [external]);
      assert.deepEqual(await world.owners(3), [stale]);

      await world.change({ persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } });
      await world.settle();
      const own = ownerOf(metadata!.uid!);
      assert.deepEqual(await world.owners(0), [own]);
      assert.deepEqual(await world.owners(1), [external, own]);
      assert.deepEqual(await world.owners(2), [own]);
      assert.deepEqual(await world.owners(3), [stale]);

      await world.own(0, [{ ...own, controller: false }]);
      await world.settle();
      assert.deepEqual(await world.owners(0), [own]);
      await world.client.delete(StatefulSet, SET);
      await world.settle();
      assert.equal(await world.claims(), claimsOf(1, 3));
    }),
  );
});

describe("StatefulSets with claims", () => {
  it(
    "PVC should be recreated when pod is pending due to missing PVC",
    inWorld(async (world) => {
      await world.create({ ...claiming(), replicas: 1 });
      await world.pass();
      assert.equal((await world.pod(0)).status?.phase, "Pending");
      const key = { namespace: "default", name: "datadir-ss-0" };
      const first = await world.client.get(PersistentVolumeClaim, key);
      await world.client.delete(PersistentVolumeClaim, key);
      await world.pass();
      const second = await world.client.get(PersistentVolumeClaim, key);
      assert.notEqual(second.metadata?.uid, first.metadata?.uid);
      await world.settle();
      assert.equal((await world.set()).status?.readyReplicas, 1);
    }),
  );

  it(
    "should perform rolling updates and roll backs of template modifications with PVCs",
    inWorld(async (world) => {
      await world.create(claiming());
      await world.settle();
      const uids = async (): Promise<readonly unknown[]> =>
        (await world.client.list(PersistentVolumeClaim)).items.map(({ metadata }) => metadata?.uid);
      const claims = await uids();
      const images = async (): Promise<string> =>
        (await world.client.list(Pod)).items
          .map(({ metadata, spec }) => `${metadata?.name}=${spec?.containers[0]?.image}`)
          .sort()
          .join(" ");
      const { status: before } = await world.set();
      assert.equal(before?.currentRevision, before?.updateRevision);
      const roll = async (image: string): Promise<void> => {
        await world.change({ template: { spec: { containers: [{ name: "web", image }] } } });
        await world.pass();
        const { status } = await world.set();
        assert.notEqual(status?.currentRevision, status?.updateRevision);
        await world.settle(48);
        const ended = (await world.set()).status;
        assert.equal(ended?.currentRevision, ended?.updateRevision);
        assert.equal(await images(), `ss-0=${image} ss-1=${image} ss-2=${image}`);
        assert.deepEqual(await uids(), claims, "each has the claim that it had");
        for (const ordinal of [0, 1, 2]) {
          const claimed = (await world.pod(ordinal)).spec?.volumes?.[0]?.persistentVolumeClaim;
          assert.equal(claimed?.claimName, `datadir-ss-${ordinal}`);
        }
      };
      await roll("web:2");
      await roll("web:1");
      assert.equal((await world.set()).status?.updateRevision, before?.updateRevision);
    }),
  );

  it(
    "should adopt matching orphans and release non-matching pods",
    inWorld(async (world) => {
      const { metadata } = await world.create({ ...claiming(), replicas: 1 });
      await world.settle();
      const controller = async (): Promise<string | undefined> =>
        (await world.pod(0)).metadata?.ownerReferences?.[0]?.uid;
      const label = (labels: object): Promise<Pod> => {
        const body = { metadata: { labels } };
        return world.client.patch(Pod, { ...SET, name: "ss-0" }, { type: "merge", body });
      };
      await world.orphan(0);
      await world.pass();
      assert.equal(await controller(), metadata!.uid);
      await label({ foo: null, baz: null, "statefulset.kubernetes.io/pod-name": null });
      await world.pass();
      assert.equal(await controller(), undefined);
      await label(LABELS);
      await world.settle();
      assert.equal(await controller(), metadata!.uid);
      // what it is known by came back without being asked for
      const { labels } = (await world.pod(0)).metadata!;
      assert.equal(labels?.["statefulset.kubernetes.io/pod-name"], "ss-0");
      assert.equal((await world.said()).join().includes("FailedUpdate"), false);
    }),
  );

  it(
    "a Pod of its name that has not its volumes is adopted, and stops it: volumes never change",
    inWorld(async (world) => {
      const [metadata, spec] = [{ ...SET, labels: LABELS }, { containers: [] as object[] }];
      spec.containers.push({ name: "web", image: "web:1" });
      await world.client.create(Pod, { metadata: { ...metadata, name: "ss-0" }, spec } as Pod);
      await world.look();
      const { metadata: own } = await world.create({ ...claiming(), replicas: 2 });
      await world.settle();
      assert.equal(await world.names(Pod), "ss-0");
      assert.equal((await world.pod(0)).metadata?.ownerReferences?.[0]?.uid, own!.uid);
      assert.deepEqual((await world.pod(0)).metadata?.labels, LABELS);
      assert.equal(await world.claims(), claimsOf(0));
      const [made, refused, ...rest] = await world.said();
      assert.equal(
        made,
        "SuccessfulCreate: create Claim datadir-ss-0 Pod ss-0 in StatefulSet ss success",
      );
      assert.match(
        refused!,
        /^FailedUpdate: update Pod ss-0 in StatefulSet ss failed error: Pod "ss-0" is invalid: spec: Forbidden: pod updates may not change fields other than /,
      );
      assert.deepEqual(rest, []);
      const { currentRevision: _, updateRevision: __, ...status } = (await world.set()).status!;
      assert.deepEqual(status, {
        observedGeneration: 1,
        replicas: 1,
        readyReplicas: 1,
        collisionCount: 0,
        availableReplicas: 1,
      });
      // Deleted by hand, it comes back as it should be, and the set goes on.
      await world.client.delete(Pod, { ...SET, name: "ss-0" });
      await world.settle();
      assert.equal((await world.set()).status?.readyReplicas, 2);
      assert.equal(await world.claims(), claimsOf(0, 1));
    }),
  );
});

describe("statefulset-upgrade", () => {
  it(
    "who starts anew makes nothing again, and goes on with an update where it was",
    inWorld(async (world) => {
      await world.create(claiming());
      await world.settle();
      const versions = async (): Promise<readonly unknown[]> => {
        const kinds = [StatefulSet, Pod, PersistentVolumeClaim, ControllerRevision] as Kind[];
        const lists = await Promise.all(kinds.map((kind) => world.client.list(kind)));
        return lists.flatMap(({ items }) =>
          items.map(({ metadata }) => `${metadata?.name} ${metadata?.resourceVersion}`),
        );
      };
      const before = await versions();
      await world.restart();
      await world.settle();
      assert.deepEqual(await versions(), before);
      await world.change({ template: { spec: { containers: [{ name: "web", image: "web:2" }] } } });
      await world.settle(4);
      const { updatedReplicas = 0 } = (await world.set()).status!;
      assert.ok(updatedReplicas < 3, "it is on its way");
      await world.restart();
      await world.settle(48);
      const { status } = await world.set();
      assert.deepEqual([status?.updatedReplicas, status?.readyReplicas], [3, 3]);
      assert.equal(await world.claims(), claimsOf(0, 1, 2));
    }),
  );
});

describe("Scaling StatefulSetStartOrdinal", () => {
  const move = (
    from: Partial<V1StatefulSetSpec>,
    before: string,
    to: object,
    after: string,
  ): (() => Promise<void>) =>
    inWorld(async (world) => {
      await world.create({ replicas: 2, ...from });
      await world.settle();
      assert.equal(await world.names(Pod), before);
      await world.change(to);
      await world.settle(48);
      assert.equal(await world.names(Pod), after);
      const { replicas, readyReplicas } = (await world.set()).status!;
      const count = after.split(" ").length;
      assert.deepEqual([replicas, readyReplicas], [count, count]);
    });
  const start = (ordinal: number): object => ({ ordinals: { start: ordinal } });

  it(
    "Setting .start.ordinal",
    move({}, "ss-0 ss-1", { replicas: 3, ...start(2) }, "ss-2 ss-3 ss-4"),
  );
  it("Increasing .start.ordinal", move(start(2), "ss-2 ss-3", start(4), "ss-4 ss-5"));
  it("Decreasing .start.ordinal", move(start(3), "ss-3 ss-4", start(2), "ss-2 ss-3"));
  it("Removing .start.ordinal", move(start(3), "ss-3 ss-4", { ordinals: null }, "ss-0 ss-1"));
});

describe("StatefulSets whose Pods take time", () => {
  it(
    "MinReadySeconds should be honored when enabled",
    inWorld(async (world) => {
      await world.create({ replicas: 2, minReadySeconds: 60 });
      await world.settle();
      assert.equal(await world.names(Pod), "ss-0"); // the next one waits for it
      await world.pass(60_000);
      await world.settle();
      assert.equal(await world.names(Pod), "ss-0 ss-1");
      assert.equal((await world.set()).status?.availableReplicas, 1);
    }),
  );

  it(
    "AvailableReplicas should get updated accordingly when MinReadySeconds is enabled",
    inWorld(async (world) => {
      const available = async (): Promise<number | undefined> =>
        (await world.set()).status?.availableReplicas;
      await world.create({ replicas: 2, minReadySeconds: 30 });
      await world.settle();
      assert.equal(await available(), 0);
      await world.pass(30_000);
      await world.settle();
      await world.pass(30_000);
      assert.equal(await available(), 2);
      await world.change({ minReadySeconds: 3600 });
      await world.settle();
      assert.equal(await available(), 0);
      await world.change({ minReadySeconds: 0 });
      await world.settle();
      assert.equal(await available(), 2);
    }),
  );

  it(
    "should not deadlock when a pod's predecessor fails",
    inWorld(async (world) => {
      world.unready.add("ss-1");
      await world.create({ replicas: 2 });
      await world.settle();
      const first = (await world.pod(0)).metadata?.uid;
      await world.client.delete(Pod, { ...SET, name: "ss-0" });
      await world.settle();
      assert.notEqual((await world.pod(0)).metadata?.uid, first);
      world.unready.clear();
      await world.settle();
      assert.equal((await world.set()).status?.readyReplicas, 2);
    }),
  );
});
