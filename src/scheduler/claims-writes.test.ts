import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Event } from "../api/core/event.ts";
import { Node } from "../api/core/node.ts";
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { Pod } from "../api/core/pod.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { silentLogger } from "../base/logger.ts";
import { Unreachable } from "../base/network.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import type { Client } from "../client/client.ts";
import { EventRecorder } from "../client/event-recorder.ts";
import { node, pod } from "../../test/support/builders.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { resourceByKind } from "../api/catalog.ts";
import { readConfiguration } from "./configuration.ts";
import { Scheduler } from "./scheduler.ts";

const key = (name: string) => ({ namespace: "default", name });

const CONFIGURATION = `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- pluginConfig:
  - name: VolumeBinding
    args: {bindTimeoutSeconds: 30}
`;

/** With an extender that strikes nothing. */
const EXTENDED = `${CONFIGURATION}extenders:
- {urlPrefix: "http://x", filterVerb: filter, nodeCacheCapable: true}
`;

/** A server with a scheduler, node `n`, a class \`late\` that waits for the first Pod, and Pod `p` with claim `data` of it. */
async function inWorld(
  body: (world: World) => Promise<void>,
  configuration = CONFIGURATION,
): Promise<void> {
  const server = await startTestServer();
  const { client, clock } = server;
  const StorageClass = resourceByKind("storage.k8s.io/v1", "StorageClass")!.kind;
  const cache = new InProcessCache(server.server.parts);
  const events = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
  let isCutOff = false;
  let beforeUpdate = Promise.resolve();
  let whileThinking = (): Promise<void> => Promise.resolve();
  const cutClient = Object.assign(Object.create(client) as Client, {
    update: async (...call: Parameters<Client["update"]>) => {
      await beforeUpdate;
      if (isCutOff) throw new Unreachable("cut off");
      return client.update(...call);
    },
    createSubresource: (...call: Parameters<Client["createSubresource"]>) =>
      client.createSubresource(...call),
    patch: (...call: Parameters<Client["patch"]>) => client.patch(...call),
    get: (...call: Parameters<Client["get"]>) => client.get(...call),
  });
  const scheduler = new Scheduler({
    client: cutClient,
    cache,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    events,
    configuration: readConfiguration(configuration),
    postJson: async () => {
      await whileThinking();
      return { NodeNames: ["n"] };
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) await clock.advance(Math.min(250, left));
  };
  const world: World = {
    pass,
    client,
    cutOff: (isCut) => {
      isCutOff = isCut;
    },
    hold: () => {
      let release = (): void => {};
      beforeUpdate = new Promise((resolve) => (release = resolve));
      return release;
    },
    think: (during) => {
      whileThinking = during;
    },
    place: async () => (await client.get(Pod, key("p"))).spec?.nodeName ?? "",
    told: async () => {
      await events.idle();
      const { items } = await client.list(Event);
      return items.filter(({ reason }) => reason === "FailedScheduling").at(-1)?.message ?? "";
    },
    claim: () => client.get(PersistentVolumeClaim, key("data")),
    bind: async (volumeName) => {
      const claim = await client.get(PersistentVolumeClaim, key("data"));
      const annotations = {
        ...claim.metadata?.annotations,
        "pv.kubernetes.io/bind-completed": "yes",
      };
      await client.update(PersistentVolumeClaim, {
        ...claim,
        metadata: { ...claim.metadata, annotations },
        spec: { ...claim.spec, volumeName },
      });
    },
  };
  await client.create(Node, node("n"));
  await client.create(StorageClass, {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "late" },
    provisioner: "example.com/p",
    volumeBindingMode: "WaitForFirstConsumer",
  } as never);
  await client.create(PersistentVolumeClaim, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: key("data"),
    spec: {
      storageClassName: "late",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  });
  const started = scheduler.start();
  await pass(250);
  await started;
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  const create = (): Promise<unknown> => client.create(Pod, pod("p", { spec: { volumes } }));
  await body({ ...world, create })
    .finally(() => scheduler.close())
    .finally(() => cache.close())
    .finally(() => events.close())
    .finally(() => server.close());
}

interface World {
  readonly client: Client;
  /** The scheduler's updates come to nothing. */
  cutOff(isCut: boolean): void;
  /** The scheduler's updates wait until this is called. */
  hold(): () => void;
  /** What happens while the extender thinks. */
  think(during: () => Promise<void>): void;
  pass(ms: number): Promise<void>;
  place(): Promise<string>;
  /** What the scheduler said last of why not. */
  told(): Promise<string>;
  claim(): Promise<PersistentVolumeClaim>;
  /** What the controller of volumes does when it is done. */
  bind(volumeName: string): Promise<void>;
  create?(): Promise<unknown>;
}

async function addVolume({ client }: World, claimRef?: { name: string }): Promise<void> {
  const created = await client.create(PersistentVolume, {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "v" },
    spec: {
      storageClassName: "late",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      hostPath: { path: "/v" },
      ...(claimRef && { claimRef: { namespace: "default", ...claimRef } }),
    },
  });
  await client.update(
    PersistentVolume,
    { ...created, status: { phase: "Available" } },
    { subresource: "status" },
  );
}

describe("a Pod whose claim waits for it", () => {
  it("is bound when a volume was made for the node that the claim names", () =>
    inWorld(async (world) => {
      await world.create!();
      await world.pass(1_000);
      const { annotations } = (await world.claim()).metadata!;
      assert.equal(annotations?.["volume.kubernetes.io/selected-node"], "n");
      assert.equal(await world.place(), "");
      await addVolume(world, { name: "data" });
      await world.bind("v");
      await world.pass(1_000);
      assert.equal(await world.place(), "n");
    }));

  it("takes a volume that is there, and is bound when the claim is", () =>
    inWorld(async (world) => {
      await addVolume(world);
      await world.create!();
      await world.pass(1_000);
      const volume = await world.client.get(PersistentVolume, { namespace: "", name: "v" });
      const { uid } = (await world.claim()).metadata!;
      assert.equal(volume.spec?.claimRef?.uid, uid);
      assert.deepEqual(volume.metadata?.annotations, {
        "pv.kubernetes.io/bound-by-controller": "yes",
      });
      assert.equal((await world.claim()).metadata?.annotations, undefined);
      assert.equal(await world.place(), "");
      await world.bind("v");
      await world.pass(1_000);
      assert.equal(await world.place(), "n");
    }));

  it("says meanwhile on which node it will be, and no longer when it is there", () =>
    inWorld(async (world) => {
      const expected = async () =>
        (await world.client.get(Pod, key("p"))).status?.nominatedNodeName ?? "nowhere";
      await world.create!();
      await world.pass(1_000);
      assert.equal(await expected(), "n");
      await addVolume(world, { name: "data" });
      await world.bind("v");
      await world.pass(1_000);
      assert.deepEqual([await world.place(), await expected()], ["n", "nowhere"]);
    }));

  it("says no longer where it will be when it cannot be there", () =>
    inWorld(async (world) => {
      await world.create!();
      await world.pass(1_000);
      const { status: _status, ...one } = await world.client.get(Node, {
        namespace: "",
        name: "n",
      });
      await world.client.update(Node, { ...one, spec: { ...one.spec, unschedulable: true } });
      await world.pass(31_000);
      const { status } = await world.client.get(Pod, key("p"));
      assert.equal(status?.conditions?.[0]?.reason, "Unschedulable");
      assert.equal(status?.nominatedNodeName, undefined);
    }));

  it("says so and tries again when whoever makes volumes gives the node back", () =>
    inWorld(async (world) => {
      await world.create!();
      await world.pass(1_000);
      const claim = await world.claim();
      const { annotations: _, ...metadata } = claim.metadata!;
      await world.client.update(PersistentVolumeClaim, {
        ...claim,
        metadata: { ...metadata, annotations: { seen: "yes" } },
      });
      await world.pass(500);
      assert.equal(
        await world.told(),
        'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"',
      );
      await world.pass(3_000);
      const again = (await world.claim()).metadata?.annotations;
      assert.equal(again?.["volume.kubernetes.io/selected-node"], "n");
    }));

  it("waits no longer than its profile allows", () =>
    inWorld(async (world) => {
      await world.create!();
      await world.pass(29_000);
      assert.equal(await world.told(), "");
      await world.pass(2_000);
      assert.equal(
        await world.told(),
        'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
      );
      const { status } = await world.client.get(Pod, key("p"));
      assert.equal(status?.conditions?.[0]?.reason, "SchedulerError");
    }));

  it("may go to another node when the first could not be written", () =>
    inWorld(async (world) => {
      world.cutOff(true);
      await world.create!();
      await world.pass(500);
      assert.match(
        await world.told(),
        /^running PreBind plugin "VolumeBinding": binding volumes: /,
      );
      await world.client.delete(Node, { namespace: "", name: "n" }, {});
      await world.client.create(Node, node("m"));
      world.cutOff(false);
      await world.pass(3_000);
      const { annotations } = (await world.claim()).metadata!;
      assert.equal(annotations?.["volume.kubernetes.io/selected-node"], "m");
    }));

  it("does not go to a node that its claim was taken away from while an extender thought", () =>
    inWorld(async (world) => {
      const select = async (node: string | undefined): Promise<void> => {
        const { metadata, ...claim } = await world.claim();
        const annotations = node ? { "volume.kubernetes.io/selected-node": node } : {};
        const changed = { ...claim, metadata: { ...metadata, annotations } };
        await world.client.update(PersistentVolumeClaim, changed);
      };
      world.think(() => select("m"));
      await world.create!();
      await world.pass(500);
      assert.equal(await world.place(), "");
      assert.equal(
        await world.told(),
        'running Reserve plugin "VolumeBinding": node "n" can have the pod\'s volumes no more',
      );
      world.think(() => Promise.resolve());
      await select(undefined);
      await world.pass(3_000);
      const { annotations } = (await world.claim()).metadata!;
      assert.equal(annotations?.["volume.kubernetes.io/selected-node"], "n");
    }, EXTENDED));

  it("is forgotten when it goes while an extender thinks", () =>
    inWorld(async (world) => {
      world.think(() => world.client.delete(Pod, key("p"), { graceSeconds: 0 }).then(() => {}));
      await world.create!();
      await world.pass(60_000);
      assert.equal((await world.claim()).metadata?.annotations, undefined);
      assert.equal(await world.told(), "");
    }, EXTENDED));

  for (const isCut of [false, true])
    it(`is forgotten when it goes while its volumes are written${isCut ? " in vain" : ""}`, () =>
      inWorld(async (world) => {
        const release = world.hold();
        await world.create!();
        await world.pass(500);
        await world.client.delete(Pod, key("p"), { graceSeconds: 0 });
        await world.pass(500);
        world.cutOff(isCut);
        release();
        await world.pass(60_000);
        assert.equal(await world.told(), "");
      }));

  it("gives its room back when it goes meanwhile", () =>
    inWorld(async (world) => {
      await world.create!();
      await world.pass(1_000);
      await world.client.delete(Pod, key("p"), { graceSeconds: 0 });
      await world.pass(60_000);
      assert.equal(await world.told(), "");
    }));
});
