import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Event } from "../../src/api/core/event.ts";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { CSIDriver } from "../../src/api/storage/csi-driver.ts";
import { OWN_DRIVER } from "../../src/api/storage/own-volumes.ts";
import { VolumeAttachment } from "../../src/api/storage/volume-attachment.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import type { Client } from "../../src/client/client.ts";
import { EventRecorder } from "../../src/client/event-recorder.ts";
import { attachDetachLoop } from "../../src/controllers/attachdetach/attachdetach.ts";
import { attacherOf } from "../../src/controllers/attachdetach/attacher.ts";
import { loopOf, runLoop, type RunningLoop } from "../../src/reconciler/runner.ts";
import { startTestServer } from "../support/api-server.ts";
import { node, pod } from "../support/builders.ts";

const MANAGED = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
const MINUTE = 60_000;

/** A server with the controller and the attacher of our driver, nodes `a` and `b`, on virtual time. */
class World {
  readonly client: Client;
  readonly #server: Awaited<ReturnType<typeof startTestServer>>;
  readonly #events: EventRecorder;
  readonly #cache: InProcessCache;
  #loops: readonly RunningLoop[] = [];

  private constructor(server: Awaited<ReturnType<typeof startTestServer>>) {
    this.#server = server;
    this.client = server.client;
    this.#cache = new InProcessCache(server.server.parts);
    const random = new SeededRandom(1);
    this.#events = new EventRecorder(server.client, server.clock, random, silentLogger);
  }

  static async run(body: (world: World) => Promise<void>): Promise<void> {
    const server = await startTestServer();
    const world = new World(server);
    for (const name of ["a", "b"])
      await world.client.create(Node, node(name, { metadata: { annotations: MANAGED } }));
    await world.start();
    try {
      await body(world);
    } finally {
      await world.stop();
      world.#cache.close();
      await world.#events.close();
      await server.close();
    }
  }

  async start(): Promise<void> {
    const { clock } = this.#server;
    const around = {
      client: this.client,
      cache: this.#cache,
      clock,
      logger: silentLogger,
      events: this.#events,
    };
    const loops = [attachDetachLoop(this.#cache), loopOf(attacherOf(OWN_DRIVER), this.#cache)];
    this.#loops = loops.map((loop) => runLoop(loop, around));
    await Promise.all(this.#loops.map(({ ready }) => ready));
    await this.pass(1000);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }

  async pass(ms = 1000): Promise<void> {
    const step = Math.min(ms, 10_000);
    for (let left = ms; left > 0; left -= step)
      await this.#server.clock.advance(Math.min(step, left));
    for (let i = 0; i < 4; i++) await this.#server.clock.advance(250);
  }

  /** A claim that says that it has the volume of its name. @returns its uid. */
  async addClaim(name: string, mode = "ReadWriteOnce"): Promise<string> {
    const accessModes = [mode];
    const claim = await this.client.create(PersistentVolumeClaim, {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name, namespace: "default" },
      spec: { accessModes, volumeName: name, resources: { requests: { storage: "1Gi" } } },
    });
    const status = { phase: "Bound", accessModes, capacity: { storage: "1Gi" } };
    await this.client.update(
      PersistentVolumeClaim,
      { ...claim, status },
      { subresource: "status" },
    );
    return claim.metadata?.uid ?? "";
  }

  /** A volume with its claim, bound. */
  async addVolume(name: string, mode = "ReadWriteOnce", driver = OWN_DRIVER): Promise<void> {
    const uid = await this.addClaim(name, mode);
    await this.client.create(PersistentVolume, {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name },
      spec: {
        accessModes: [mode],
        capacity: { storage: "1Gi" },
        csi: { driver, volumeHandle: name },
        claimRef: { namespace: "default", name, uid },
      },
    });
  }

  async addPod(name: string, nodeName: string, claimName: string): Promise<void> {
    const volumes = [{ name: "v", persistentVolumeClaim: { claimName } }];
    await this.client.create(Pod, pod(name, { spec: { nodeName, volumes } }));
  }

  async removePod(name: string): Promise<void> {
    await this.client.delete(Pod, { namespace: "default", name }, { graceSeconds: 0 });
  }

  /** What a kubelet writes. */
  async setNode(name: string, status: object): Promise<void> {
    const key = { namespace: "", name };
    await this.client.patch(
      Node,
      key,
      { type: "merge", body: { status } },
      { subresource: "status" },
    );
  }

  /** `a: x y` for each node: what its status says is attached. */
  async reported(): Promise<string> {
    const { items } = await this.client.list(Node);
    return items
      .map(({ metadata, status }) => {
        const names = (status?.volumesAttached ?? []).map((one) => one.name.replace(/.*\^/, ""));
        return `${metadata?.name}: ${names.join(" ")}`.trim();
      })
      .join(" ");
  }

  /** `x@a+`: volume, node, and whether it is attached. */
  async attachments(): Promise<string> {
    const { items } = await this.client.list(VolumeAttachment);
    return items
      .map(({ spec, status }) => {
        const mark = status?.attached ? "+" : "";
        return `${spec.source.persistentVolumeName}@${spec.nodeName}${mark}`;
      })
      .sort()
      .join(" ");
  }

  async events(name: string): Promise<readonly string[]> {
    await this.#events.idle();
    const { items } = await this.client.list(Event);
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message, source }) => `${source?.component} ${reason}: ${message}`);
  }
}

const inUse = (...names: string[]): object => ({
  volumesInUse: names.map((name) => `kubernetes.io/csi/${OWN_DRIVER}^${name}`),
});

describe("attaching volumes", () => {
  it("attaches what a Pod mounts, says so, and detaches it when the node has let go", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      assert.equal(await world.attachments(), "x@a+");
      assert.equal(await world.reported(), "a: x b:");
      assert.deepEqual(await world.events("p"), [
        'attachdetach-controller SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "x" ',
      ]);
      const [attachment] = (await world.client.list(VolumeAttachment)).items;
      assert.match(attachment!.metadata!.name!, /^csi-[0-9a-f]{64}$/);
      assert.deepEqual(attachment!.metadata!.finalizers, ["external-attacher/volumes-skiff-dev"]);
      await world.setNode("a", inUse("x"));
      await world.removePod("p");
      await world.pass(10 * MINUTE);
      assert.equal(await world.reported(), "a: x b:");
      await world.setNode("a", { volumesInUse: null });
      await world.pass();
      assert.equal(await world.reported(), "a: b:");
      assert.equal(await world.attachments(), "");
    }));

  it("a volume for one node goes to the next when the first has let go", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      await world.setNode("a", inUse("x"));
      await world.addPod("q", "b", "x");
      await world.pass();
      assert.equal(await world.attachments(), "x@a+");
      assert.deepEqual(await world.events("q"), [
        'attachdetach-controller FailedAttachVolume: Multi-Attach error for volume "x" Volume is already used by pod(s) p',
      ]);
      await world.removePod("p");
      await world.pass();
      assert.equal(await world.attachments(), "x@a+");
      await world.setNode("a", { volumesInUse: null });
      await world.pass();
      assert.equal(await world.attachments(), "x@b+");
      assert.equal(await world.reported(), "a: b: x");
    }));

  it("two Pods at once on two nodes: one node gets it", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await Promise.all([world.addPod("p", "a", "x"), world.addPod("q", "b", "x")]);
      await world.pass();
      assert.match(await world.attachments(), /^x@[ab]\+$/);
    }));

  it("a volume for many goes to all", () =>
    World.run(async (world) => {
      await world.addVolume("x", "ReadWriteMany");
      await world.addPod("p", "a", "x");
      await world.addPod("q", "b", "x");
      await world.pass();
      assert.equal(await world.reported(), "a: x b: x");
    }));

  it("waits for the attacher of another driver", () =>
    World.run(async (world) => {
      await world.addVolume("x", "ReadWriteOnce", "other.example.com");
      await world.addPod("p", "a", "x");
      await world.pass();
      assert.equal(await world.attachments(), "x@a");
      assert.equal(await world.reported(), "a: b:");
      const [attachment] = (await world.client.list(VolumeAttachment)).items;
      const attached = { ...attachment!, status: { attached: true } };
      await world.client.update(VolumeAttachment, attached, { subresource: "status" });
      await world.pass();
      assert.equal(await world.reported(), "a: x b:");
    }));

  it("a driver that does not attach is left alone", () =>
    World.run(async (world) => {
      await world.client.create(CSIDriver, {
        apiVersion: "storage.k8s.io/v1",
        kind: "CSIDriver",
        metadata: { name: "other.example.com" },
        spec: { attachRequired: false },
      });
      await world.addVolume("x", "ReadWriteOnce", "other.example.com");
      await world.addPod("p", "a", "x");
      await world.pass();
      assert.equal(await world.attachments(), "");
    }));

  it("a silent node loses what it has after six minutes, one out of service at once", () =>
    World.run(async (world) => {
      for (const [name, place] of [
        ["x", "a"],
        ["y", "b"],
      ] as const) {
        await world.addVolume(name);
        await world.addPod(`pod-${name}`, place, name);
        await world.pass();
        const conditions = [{ type: "Ready", status: "Unknown" }];
        await world.setNode(place, { ...inUse(name), conditions });
        await world.removePod(`pod-${name}`);
      }
      const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
      await world.pass(5 * MINUTE);
      assert.equal(await world.attachments(), "x@a+ y@b+");
      const key = { namespace: "", name: "b" };
      await world.client.patch(Node, key, { type: "merge", body: { spec: { taints } } });
      await world.pass();
      assert.equal(await world.attachments(), "x@a+");
      await world.pass(MINUTE);
      assert.equal(await world.attachments(), "");
    }));

  it("a node that is gone loses what it had", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      await world.removePod("p");
      await world.setNode("a", inUse("x"));
      await world.client.delete(Node, { namespace: "", name: "a" }, {});
      await world.pass(7 * MINUTE);
      assert.equal(await world.attachments(), "");
    }));

  it("goes on after a restart", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      await world.stop();
      await world.removePod("p");
      await world.start();
      await world.pass();
      assert.equal(await world.attachments(), "");
      assert.equal(await world.reported(), "a: b:");
    }));

  it("a claim that is bound after its Pod has a node; not one that its volume does not know", () =>
    World.run(async (world) => {
      await world.addPod("p", "a", "x");
      await world.pass();
      await world.addVolume("x");
      await world.pass();
      assert.equal(await world.reported(), "a: x b:");
      await world.client.delete(PersistentVolumeClaim, { namespace: "default", name: "x" }, {});
      await world.addClaim("x");
      await world.pass();
      assert.equal(await world.reported(), "a: b:");
    }));

  it("a node may keep the volumes of Pods that have ended", () =>
    World.run(async (world) => {
      const annotations = { "volumes.kubernetes.io/keep-terminated-pod-volumes": "true" };
      const body = { metadata: { annotations } };
      await world.client.patch(Node, { namespace: "", name: "a" }, { type: "merge", body });
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      const key = { namespace: "default", name: "p" };
      const ended = { status: { phase: "Succeeded" } };
      await world.client.patch(Pod, key, { type: "merge", body: ended }, { subresource: "status" });
      await world.pass();
      assert.equal(await world.attachments(), "x@a+");
    }));

  it("a Pod that has ended needs nothing", () =>
    World.run(async (world) => {
      await world.addVolume("x");
      await world.addPod("p", "a", "x");
      await world.pass();
      const key = { namespace: "default", name: "p" };
      const body = { status: { phase: "Succeeded" } };
      await world.client.patch(Pod, key, { type: "merge", body }, { subresource: "status" });
      await world.pass();
      assert.equal(await world.attachments(), "");
    }));
});
