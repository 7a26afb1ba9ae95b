import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { Lease } from "../api/coordination/lease.ts";
import { Event } from "../api/core/event.ts";
import { Node } from "../api/core/node.ts";
import { ConfigMap } from "../api/core/config-map.ts";
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { Pod } from "../api/core/pod.ts";
import { Secret } from "../api/core/secret.ts";
import { findCondition } from "../api/machinery/conditions.ts";
import { silentLogger } from "../base/logger.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import type { VirtualClock } from "../base/virtual-clock.ts";
import type { Client } from "../client/client.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { configMap, pod } from "../../test/support/builders.ts";
import { ScriptedCri } from "../../test/support/scripted-cri.ts";
import { SimNodeHost } from "../../test/sim/world/sim-node-host.ts";
import { startKubelet } from "./start-kubelet.ts";

const NODE = "node-1";
const LEASE = { namespace: "kube-node-lease", name: NODE };
const GIBIBYTE = 1024 ** 3;

interface World {
  readonly client: Client;
  readonly clock: VirtualClock;
}

/** A body with a kubelet that runs on a runtime in memory, ten seconds after its start. */
function withKubelet(body: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await startTestServer();
    const { client, clock } = server;
    const cache = new InProcessCache(server.server.parts);
    const cri = new ScriptedCri(clock);
    const starting = startKubelet({
      client,
      cache,
      cri,
      watchRuntime: (signal) => cri.watch(signal),
      clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      nodeName: NODE,
      nodeIps: ["10.88.0.2"],
      folders: { state: "/node", logs: "/logs", logLinks: "/links", ownVolumes: "/volumes" },
      dns: { clusterServers: ["10.96.0.10"], clusterDomain: "cluster.local" },
      version: "v1.36.0+skiff.test",
      host: new SimNodeHost(NODE, 2, GIBIBYTE),
    });
    await clock.advance(10_000);
    const kubelet = await starting;
    await body({ client, clock }).finally(async () => {
      kubelet.close();
      cache.close();
      await server.close();
    });
  };
}

describe("a kubelet whose Node is deleted", () => {
  it(
    "registers it again with its next look, as ready as it is, with a Lease that goes with the new one",
    withKubelet(async ({ client, clock }) => {
      const first = await client.get(Node, { name: NODE });
      await client.delete(Node, { name: NODE });
      await client.delete(Lease, LEASE);
      await clock.advance(20_000);
      const second = await client.get(Node, { name: NODE });
      assert.notEqual(second.metadata?.uid, first.metadata?.uid);
      assert.equal(findCondition(second.status?.conditions, "Ready")?.status, "True");
      assert.deepEqual(second.status?.addresses, first.status?.addresses);
      const { metadata } = await client.get(Lease, LEASE);
      assert.deepEqual(
        metadata?.ownerReferences?.map(({ uid }) => uid),
        [second.metadata?.uid],
      );
    }),
  );

  it(
    "takes over one that somebody made in its place, and a Lease that was left",
    withKubelet(async ({ client, clock }) => {
      await client.delete(Node, { name: NODE });
      const made = await client.create(Node, { metadata: { name: NODE, labels: { mine: "yes" } } });
      await clock.advance(20_000);
      const { metadata, status } = await client.get(Node, { name: NODE });
      assert.equal(metadata?.uid, made.metadata?.uid);
      assert.equal(metadata?.labels?.["mine"], "yes");
      assert.equal(metadata?.labels?.["kubernetes.io/hostname"], NODE);
      assert.equal(findCondition(status?.conditions, "Ready")?.status, "True");
      const lease = await client.get(Lease, LEASE);
      assert.deepEqual(
        lease.metadata?.ownerReferences?.map(({ uid }) => uid),
        [metadata?.uid],
      );
    }),
  );

  it(
    "at rest, the Node is written no more than once in five minutes",
    withKubelet(async ({ client, clock }) => {
      const before = await client.get(Node, { name: NODE });
      await clock.advance(200_000);
      const after = await client.get(Node, { name: NODE });
      assert.equal(after.metadata?.resourceVersion, before.metadata?.resourceVersion);
    }),
  );
});

describe("pull secrets", () => {
  it(
    "those that are missing are told of by name, and the image is asked for without them",
    withKubelet(async ({ client, clock }) => {
      await client.create(Secret, { metadata: { name: "there", namespace: "default" } });
      await client.create(
        Pod,
        pod("web", {
          spec: {
            nodeName: NODE,
            imagePullSecrets: [{ name: "lost" }, { name: "there" }, {}, { name: "gone" }],
          },
        }),
      );
      await clock.advance(10_000);
      const { items } = await client.list(Event, { namespace: "default" });
      const told = items.filter(({ reason }) => reason === "FailedToRetrieveImagePullSecret");
      assert.deepEqual(
        told.map(({ type, message }) => `${type} ${message}`),
        [
          "Warning Unable to retrieve some image pull secrets (lost, gone); attempting to pull the image may not succeed.",
        ],
      );
      const { status } = await client.get(Pod, { namespace: "default", name: "web" });
      assert.equal(status?.phase, "Running");
    }),
  );
});

describe("a claim", () => {
  it(
    "that is deleted under a running Pod says nothing of the volume that is mounted",
    withKubelet(async ({ client, clock }) => {
      const claims = { namespace: "default", name: "c" };
      const capacity = { storage: "1Gi" };
      const modes = { accessModes: ["ReadWriteOnce"], volumeName: "v" };
      const claim = await client.create(PersistentVolumeClaim, {
        metadata: { ...claims, finalizers: ["kubernetes.io/pvc-protection"] },
        spec: { ...modes, storageClassName: "", resources: { requests: capacity } },
      });
      await client.updateStatus(PersistentVolumeClaim, { ...claim, status: { phase: "Bound" } });
      await client.create(PersistentVolume, {
        metadata: { name: "v" },
        spec: {
          ...{ capacity, accessModes: ["ReadWriteOnce"], hostPath: { path: "/v" } },
          claimRef: { ...claims, uid: claim.metadata?.uid ?? "" },
        },
      });
      await client.create(ConfigMap, configMap("files"));
      const volumes = [
        { name: "data", persistentVolumeClaim: { claimName: "c" } },
        { name: "files", configMap: { name: "files" } },
      ];
      await client.create(Pod, pod("web", { spec: { nodeName: NODE, volumes } }));
      await clock.advance(10_000);
      const { status } = await client.get(Pod, { namespace: "default", name: "web" });
      assert.equal(status?.phase, "Running");
      await client.delete(PersistentVolumeClaim, claims);
      await client.update(ConfigMap, configMap("files", { data: { changed: "yes" } }));
      await clock.advance(200_000);
      const { items } = await client.list(Event, { namespace: "default" });
      assert.deepEqual(
        items.filter(({ type }) => type === "Warning").map(({ message }) => message),
        [],
      );
    }),
  );
});
