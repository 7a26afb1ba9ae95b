import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Event } from "../../src/api/core/event.ts";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { Pod } from "../../src/api/core/pod.ts";
import type { KubeObject } from "../../src/api/machinery/object.ts";
import { isStatusError } from "../../src/api/machinery/status-error.ts";
import { MACHINE_LABEL, OWN_DRIVER } from "../../src/api/storage/own-volumes.ts";
import { StorageClass } from "../../src/api/storage/storage-class.ts";
import {
  DefaultStorageClass,
  PersistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "../../src/apiserver/admission/storage.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import type { Client } from "../../src/client/client.ts";
import { SimDisk } from "../sim/faults/sim-disk.ts";
import { openSimStore } from "../sim/store/sim-backend.ts";
import { startTestServer } from "../support/api-server.ts";
import { node, pod } from "../support/builders.ts";
import { withControllers, type ControllersWorld } from "../support/controllers-world.ts";

interface World extends ControllersWorld {
  claim(name: string): Promise<PersistentVolumeClaim>;
  volume(name: string): Promise<PersistentVolume>;
  /** What was said of an object: `reason: message`. */
  said(name: string): Promise<readonly string[]>;
}

/** With the admission of claims, and one node of the machine `m`. */
function inWorld(body: (world: World) => Promise<void>): () => Promise<void> {
  return withControllers(
    async (world) => {
      const { client, pass } = world;
      await client.create(Node, node("n", { metadata: { labels: { [MACHINE_LABEL]: "m" } } }));
      await pass();
      await body({
        ...world,
        claim: (name) => client.get(PersistentVolumeClaim, { namespace: "default", name }),
        volume: (name) => client.get(PersistentVolume, { namespace: "", name }),
        said: async (name) => {
          const { items } = await client.list(Event);
          return items
            .filter(({ involvedObject }) => involvedObject.name === name)
            .map(({ reason, message }) => `${reason}: ${message}`);
        },
      });
    },
    {
      admission: ({ parts }) => {
        const cache = new InProcessCache(parts);
        return [
          new DefaultStorageClass(cache),
          storageObjectInUseProtection,
          new PersistentVolumeClaimResize(cache),
        ];
      },
    },
  );
}

const claimOf = (name: string, storage = "1Gi", spec: object = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: "default" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...spec },
});

const volumeOf = (name: string, storage: string, spec: object = {}): PersistentVolume => ({
  metadata: { name },
  spec: {
    capacity: { storage },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: "/data" },
    ...spec,
  },
});

const NONE = { storageClassName: "" };
const KEY = (name: string) => ({ namespace: "default", name });

function isGone(error: unknown): true {
  assert.ok(isStatusError(error, "NotFound"));
  return true;
}

describe("claims and volumes", () => {
  it(
    "a claim without a class gets a volume of the default one, and its volume is released with it",
    inWorld(async ({ client, pass, claim, volume, said }) => {
      await client.create(PersistentVolumeClaim, claimOf("data"));
      await pass();
      const { metadata, spec, status } = await claim("data");
      const name = `pvc-${metadata?.uid}`;
      assert.equal(spec?.storageClassName, "standard");
      assert.equal(spec?.volumeName, name);
      assert.deepEqual(status, {
        phase: "Bound",
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
      });
      assert.deepEqual(metadata?.finalizers, ["kubernetes.io/pvc-protection"]);
      const made = await volume(name);
      assert.equal(made.status?.phase, "Bound");
      assert.equal(made.spec?.claimRef?.uid, metadata?.uid);
      assert.deepEqual(await said("data"), [
        'Provisioning: External provisioner is provisioning volume for claim "default/data"',
        `ProvisioningSucceeded: Successfully provisioned volume ${name}`,
      ]);
      await client.delete(PersistentVolumeClaim, KEY("data"));
      await pass();
      await assert.rejects(claim("data"), isGone);
      assert.equal((await volume(name)).status?.phase, "Released");
    }),
  );

  it(
    "twenty claims at once get twenty volumes, each one of its own",
    inWorld(async ({ client, pass, claim }) => {
      const names = Array.from({ length: 20 }, (_, index) => `x${index}`);
      await Promise.all([
        ...names.map((name) => client.create(PersistentVolume, volumeOf(name, "1Gi", NONE))),
        ...names.map((name) => client.create(PersistentVolumeClaim, claimOf(name, "1Gi", NONE))),
      ]);
      await pass();
      const claims = await Promise.all(names.map(claim));
      assert.ok(claims.every(({ status }) => status?.phase === "Bound"));
      assert.equal(new Set(claims.map(({ spec }) => spec?.volumeName)).size, 20);
    }),
  );

  it(
    "a volume that is kept goes to nobody until its reference is taken off",
    inWorld(async ({ client, pass, claim, volume, said }) => {
      await client.create(PersistentVolume, volumeOf("v", "5Gi"));
      await client.create(PersistentVolumeClaim, claimOf("first", "1Gi", NONE));
      await pass();
      assert.equal((await claim("first")).status?.capacity?.["storage"], "5Gi");
      await client.delete(PersistentVolumeClaim, KEY("first"));
      await pass();
      assert.equal((await volume("v")).status?.phase, "Released");
      await client.create(PersistentVolumeClaim, claimOf("second", "1Gi", NONE));
      await pass();
      assert.deepEqual(await said("second"), [
        "FailedBinding: no persistent volumes available for this claim and no storage class is set",
      ]);
      const body = { spec: { claimRef: null } };
      await client.patch(PersistentVolume, { namespace: "", name: "v" }, { type: "merge", body });
      await pass();
      assert.equal((await claim("second")).spec?.volumeName, "v");
      assert.equal((await volume("v")).status?.phase, "Bound");
    }),
  );

  it(
    "a claim or volume in use stays until it is free; a volume that goes all the same is lost",
    inWorld(async ({ client, pass, claim, volume, said }) => {
      await client.create(PersistentVolume, volumeOf("v", "1Gi"));
      await client.create(PersistentVolumeClaim, claimOf("c", "1Gi", NONE));
      const volumes = [{ name: "d", persistentVolumeClaim: { claimName: "c" } }];
      const spec = { nodeName: "n", volumes };
      await client.create(Pod, pod("user", { metadata: { namespace: "default" }, spec }));
      await pass();
      await client.delete(PersistentVolume, { namespace: "", name: "v" });
      await client.delete(PersistentVolumeClaim, KEY("c"));
      await pass();
      assert.ok((await claim("c")).metadata?.deletionTimestamp);
      assert.ok((await volume("v")).metadata?.deletionTimestamp);
      await client.patch(PersistentVolume, { namespace: "", name: "v" }, { type: "merge", body: { metadata: { finalizers: null } } }); // prettier-ignore
      await pass();
      assert.equal((await claim("c")).status?.phase, "Lost");
      assert.deepEqual(await said("c"), [
        "ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
      ]);
      await client.delete(Pod, KEY("user"), { graceSeconds: 0 });
      await pass();
      await assert.rejects(claim("c"), isGone);
    }),
  );

  it(
    "a volume of the cluster's driver whose handle is no name of a folder is refused at once, and goes when it is deleted",
    inWorld(async ({ client, pass, claim, volume, said }) => {
      const csi = { driver: OWN_DRIVER, volumeHandle: "../a/b" };
      const { hostPath: _, ...spec } = volumeOf("v", "1Gi", { csi, claimRef: KEY("c") }).spec!;
      await client.create(PersistentVolume, { metadata: { name: "v" }, spec });
      await client.create(PersistentVolumeClaim, claimOf("c", "1Gi", NONE));
      await pass();
      const { status } = await volume("v");
      assert.equal(status?.phase, "Failed");
      assert.deepEqual(await said("v"), [`InvalidVolumeHandle: ${status?.message}`]);
      assert.match(status?.message ?? "", /^the volume handle "..\/a\/b" cannot name a folder/);
      assert.equal((await claim("c")).status?.phase, "Pending");
      await client.delete(PersistentVolume, { namespace: "", name: "v" });
      await pass();
      await assert.rejects(volume("v"), isGone);
    }),
  );

  it(
    "a class that becomes the default serves claims that wait without one",
    inWorld(async ({ client, pass, claim }) => {
      await client.delete(StorageClass, { namespace: "", name: "standard" });
      await client.create(PersistentVolumeClaim, claimOf("early"));
      await pass();
      assert.equal((await claim("early")).spec?.storageClassName, undefined);
      const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
      const metadata = { name: "late", annotations };
      await client.create(StorageClass, { metadata, provisioner: "volumes.skiff.dev" });
      await pass();
      const { spec, status } = await claim("early");
      assert.deepEqual([spec?.storageClassName, status?.phase], ["late", "Bound"]);
    }),
  );

  it(
    "a claim waits for its first Pod where its class says so, and grows where it allows that",
    inWorld(async ({ client, pass, claim, volume, said }) => {
      await client.create(StorageClass, {
        metadata: { name: "late" },
        provisioner: "volumes.skiff.dev",
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
      });
      await client.create(PersistentVolumeClaim, claimOf("c", "1Gi", { storageClassName: "late" }));
      await pass();
      assert.deepEqual(await said("c"), [
        "WaitForFirstConsumer: waiting for first consumer to be created before binding",
      ]);
      const merge = (body: object) =>
        client.patch(PersistentVolumeClaim, KEY("c"), { type: "merge", body });
      await merge({ metadata: { annotations: { "volume.kubernetes.io/selected-node": "n" } } });
      await pass();
      const { spec, status } = await claim("c");
      assert.equal(status?.phase, "Bound");
      await merge({ spec: { resources: { requests: { storage: "3Gi" } } } });
      await pass();
      assert.equal((await claim("c")).status?.capacity?.["storage"], "3Gi");
      assert.equal((await volume(spec!.volumeName!)).spec?.capacity?.["storage"], "3Gi");
    }),
  );

  it("the default class is made once: a user's word about it holds over restarts", async () => {
    const disk = new SimDisk(new SeededRandom(1));
    const names = async (change?: (client: Client) => Promise<unknown>): Promise<string[]> => {
      const server = await startTestServer({ store: await openSimStore(disk, "data") });
      const { items } = await server.client.list(StorageClass);
      await change?.(server.client);
      await server.close();
      return items.map(({ metadata }: KubeObject) => metadata!.name!);
    };
    const key = { namespace: "", name: "standard" };
    assert.deepEqual(await names((client) => client.delete(StorageClass, key)), ["standard"]);
    assert.deepEqual(await names(), []);
  });
});
