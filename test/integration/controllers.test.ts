import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deployment } from "../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { StatefulSet } from "../../src/api/apps/stateful-set.ts";
import { Stack } from "../../src/api/compose/stack.ts";
import { Lease } from "../../src/api/coordination/lease.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Endpoints } from "../../src/api/core/endpoints.ts";
import { Event } from "../../src/api/core/event.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { ReplicationController } from "../../src/api/core/replication-controller.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { Service } from "../../src/api/core/service.ts";
import { EndpointSlice } from "../../src/api/discovery/endpoint-slice.ts";
import type { Kind } from "../../src/api/machinery/kind.ts";
import { keyOf, type KubeObject } from "../../src/api/machinery/object.ts";
import { isStatusError } from "../../src/api/machinery/status-error.ts";
import { NamespaceLifecycle } from "../../src/apiserver/admission/namespace-lifecycle.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { formatMicroTime, formatTime } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { withControllers, type ControllersWorld } from "../support/controllers-world.ts";

const inWorld = (body: (world: ControllersWorld) => Promise<void>): (() => Promise<void>) =>
  withControllers(body, {
    // Without it, a ReplicaSet and the end of its namespace would run after each other for ever.
    admission: ({ parts }) => [new NamespaceLifecycle(new InProcessCache(parts))],
  });

const web = (image: string, replicas = 3, extra: object = {}): Deployment => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image, ports: [{ name: "http", containerPort: 80 }] }] },
    },
    ...extra,
  },
});

async function namesOf<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  namespace = "default",
): Promise<string[]> {
  const { items } = await client.list(kind, { namespace });
  return items.map(({ metadata }) => metadata?.name ?? "");
}

async function isGone(
  client: Client,
  kind: Kind,
  key: { namespace?: string; name: string },
): Promise<boolean> {
  return client.get(kind, key).then(
    () => false,
    (error: unknown) => isStatusError(error, "NotFound"),
  );
}

/** What kubelets would do: every Pod that is not going becomes ready, every one that is goes. */
async function runPods({ client, server }: ControllersWorld, node = "n1"): Promise<void> {
  for (const pod of (await client.list(Pod)).items) {
    const key = keyOf(pod);
    if (pod.metadata?.deletionTimestamp) {
      await client.delete(Pod, key, { graceSeconds: 0 });
      continue;
    }
    if (!pod.spec?.nodeName) {
      const target = { apiVersion: "v1", kind: "Node", name: node };
      const metadata = { name: key.name, namespace: key.namespace };
      await client.createSubresource(Pod, key, "binding", { metadata, target } as KubeObject);
    }
    const number = Number(server.server.parts.cache.revision) % 250;
    const since = formatTime(server.clock.now());
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: since }];
    const status = {
      phase: "Running",
      podIP: `10.244.0.${number}`,
      podIPs: [{ ip: `10.244.0.${number}` }],
      conditions,
    };
    if (pod.status?.phase !== "Running") {
      await client.patch(Pod, key, { type: "merge", body: { status } }, { subresource: "status" });
    }
  }
}

async function settle(world: ControllersWorld, rounds = 15): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass(250);
    await runPods(world);
  }
  await world.pass();
}

async function addNode({ client, server, pass }: ControllersWorld, name = "n1"): Promise<void> {
  const now = formatTime(server.clock.now());
  const conditions = [
    { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now },
  ];
  await client.create(Node, { metadata: { name } });
  const status = { conditions, nodeInfo: { kubeletVersion: "v1.36.0" } };
  await client.patch(
    Node,
    { name },
    { type: "merge", body: { status } },
    { subresource: "status" },
  );
  await pass();
}

async function renew({ client, server }: ControllersWorld, name = "n1"): Promise<void> {
  const key = { namespace: "kube-node-lease", name };
  const spec = { holderIdentity: name, renewTime: formatMicroTime(server.clock.now()) };
  if (await isGone(client, Lease, key)) await client.create(Lease, { metadata: key, spec });
  else await client.patch(Lease, key, { type: "merge", body: { spec } });
}

describe("controllers on a real API server", () => {
  it(
    "every namespace gets its account and the CA, and again when they are deleted",
    inWorld(async ({ client, pass }) => {
      const key = { namespace: "default", name: "kube-root-ca.crt" };
      assert.deepEqual((await client.get(ConfigMap, key)).data, { "ca.crt": "CA" });
      assert.deepEqual(await namesOf(client, ServiceAccount), ["default"]);
      await client.delete(ConfigMap, key);
      await client.delete(ServiceAccount, { namespace: "default", name: "default" });
      await pass();
      assert.equal(await isGone(client, ConfigMap, key), false);
      assert.deepEqual(await namesOf(client, ServiceAccount), ["default"]);
    }),
  );

  it(
    "an account has its token in a Secret, which ends with it",
    inWorld(async ({ client, pass }) => {
      const key = { namespace: "default", name: "default" };
      const secretOf = async (): Promise<Secret> => {
        const { secrets = [] } = await client.get(ServiceAccount, key);
        assert.equal(secrets.length, 1);
        return client.get(Secret, { namespace: "default", name: secrets[0]!.name ?? "" });
      };
      const first = await secretOf();
      const name = first.metadata?.name ?? "";
      assert.match(name, /^default-token-\w{5}$/);
      assert.equal(first.type, "kubernetes.io/service-account-token");
      const read = (field: string): string =>
        Buffer.from(first.data?.[field] ?? "", "base64").toString();
      assert.deepEqual(["token", "ca.crt", "namespace"].map(read), [
        `token of ${name}`,
        "CA",
        "default",
      ]);
      await client.delete(ServiceAccount, key);
      await pass();
      const second = await secretOf();
      assert.notEqual(second.metadata?.name, name);
      assert.deepEqual(await namesOf(client, Secret), [second.metadata?.name]);
      await client.delete(Secret, { namespace: "default", name: second.metadata?.name ?? "" });
      await pass();
      assert.notEqual((await secretOf()).metadata?.name, second.metadata?.name);
    }),
  );

  it(
    "a ReplicationController keeps its Pods and, deleted, leaves them",
    inWorld(async (world) => {
      const { client, pass } = world;
      await addNode(world);
      const { template } = web("v1").spec!;
      const key = { namespace: "default", name: "old" };
      await client.create(ReplicationController, {
        metadata: key,
        spec: { replicas: 2, template },
      });
      await settle(world);
      const { status } = await client.get(ReplicationController, key);
      assert.deepEqual([status?.replicas, status?.observedGeneration], [2, 1]);
      await client.delete(ReplicationController, key);
      await pass();
      assert.equal(await isGone(client, ReplicationController, key), true);
      assert.equal((await namesOf(client, Pod)).length, 2);
    }),
  );

  it(
    "a Deployment makes its Pods, rolls to a new image, and goes with everything it made",
    inWorld(async (world) => {
      const { client, pass } = world;
      await addNode(world);
      await client.create(Deployment, web("v1"));
      await settle(world);
      const key = { namespace: "default", name: "web" };
      const first = await client.get(Deployment, key);
      assert.equal(first.status?.availableReplicas, 3);
      assert.equal(first.metadata?.annotations?.["deployment.kubernetes.io/revision"], "1");
      const progressing = first.status?.conditions?.find(({ type }) => type === "Progressing");
      assert.equal(progressing?.reason, "NewReplicaSetAvailable");

      await client.update(Deployment, { ...first, spec: { ...first.spec!, ...web("v2").spec! } });
      await settle(world, 30);
      const second = await client.get(Deployment, key);
      assert.equal(second.metadata?.annotations?.["deployment.kubernetes.io/revision"], "2");
      const images = (await client.list(Pod, { namespace: "default" })).items.map(
        ({ spec }) => spec?.containers[0]?.image,
      );
      assert.deepEqual(images, ["v2", "v2", "v2"]);
      assert.equal((await namesOf(client, ReplicaSet)).length, 2);
      const messages = (await client.list(Event, { namespace: "default" })).items.map(
        ({ message }) => message ?? "",
      );
      assert.ok(
        messages.some((message) => /^Scaled up replica set web-\w+ from 0 to 3$/.test(message)),
      );
      assert.ok(messages.some((message) => /^Created pod: web-\w+-\w{5}$/.test(message)));

      await client.delete(Deployment, key, { propagation: "Background" });
      await settle(world, 5);
      await pass();
      assert.deepEqual(await namesOf(client, ReplicaSet), []);
      assert.deepEqual(await namesOf(client, Pod), []);
    }),
  );

  it(
    "orphaning leaves the sets, which a new Deployment of the same selector adopts",
    inWorld(async (world) => {
      const { client, pass } = world;
      await client.create(Deployment, web("v1"));
      await pass();
      const [name] = await namesOf(client, ReplicaSet);
      const key = { namespace: "default", name: "web" };
      await client.delete(Deployment, key, { propagation: "Orphan" });
      await pass();
      assert.equal(await isGone(client, Deployment, key), true);
      const orphan = await client.get(ReplicaSet, { namespace: "default", name: name! });
      assert.equal(orphan.metadata?.ownerReferences?.length ?? 0, 0);
      const next = await client.create(Deployment, web("v1"));
      await pass();
      const adopted = await client.get(ReplicaSet, { namespace: "default", name: name! });
      assert.equal(adopted.metadata?.ownerReferences?.[0]?.uid, next.metadata?.uid);
      assert.deepEqual(await namesOf(client, ReplicaSet), [name]);
    }),
  );

  it(
    "in the foreground, the owner goes last",
    inWorld(async (world) => {
      const { client, pass } = world;
      await client.create(Deployment, web("v1"));
      await settle(world, 5);
      const key = { namespace: "default", name: "web" };
      await client.delete(Deployment, key, { propagation: "Foreground" });
      await pass();
      assert.equal(await isGone(client, Deployment, key), false, "its Pods are still ending");
      await settle(world, 5);
      assert.equal(await isGone(client, Deployment, key), true);
      assert.deepEqual(await namesOf(client, Pod), []);
    }),
  );

  it(
    "objects that own each other go all the same",
    inWorld(async ({ client, pass }) => {
      const names = ["a", "b", "c"];
      const made = new Map<string, string>();
      for (const name of names) {
        const { metadata } = await client.create(ConfigMap, {
          metadata: { name, namespace: "default" },
        });
        made.set(name, metadata!.uid!);
      }
      const ring = names.map((name, index) => [name, names[(index + 1) % 3]!] as const);
      for (const [name, owner] of ring) {
        const reference = {
          apiVersion: "v1",
          kind: "ConfigMap",
          name: owner,
          uid: made.get(owner)!,
        };
        const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }];
        const body = { metadata: { ownerReferences } };
        await client.patch(ConfigMap, { name, namespace: "default" }, { type: "merge", body });
      }
      const key = { name: "a", namespace: "default" };
      await client.delete(ConfigMap, key, { propagation: "Foreground" });
      await pass(10_000);
      const left = await namesOf(client, ConfigMap);
      assert.deepEqual(
        left.filter((name) => names.includes(name)),
        [],
      );
    }),
  );

  it(
    "endpoints and slices follow ready Pods",
    inWorld(async (world) => {
      const { client } = world;
      await addNode(world);
      const spec = { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" as never }] };
      await client.create(Service, { metadata: { name: "web", namespace: "default" }, spec });
      await client.create(Deployment, web("v1", 2));
      await settle(world);
      const key = { namespace: "default", name: "web" };
      const { subsets } = await client.get(Endpoints, key);
      assert.equal(subsets?.[0]?.addresses?.length, 2);
      const slices = (await client.list(EndpointSlice, { namespace: "default" })).items.filter(
        ({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === "web",
      );
      assert.equal(slices.length, 1);
      assert.deepEqual(
        slices[0]?.endpoints?.map(({ conditions, nodeName }) => [conditions?.ready, nodeName]),
        [
          [true, "n1"],
          [true, "n1"],
        ],
      );
      await client.delete(Service, key);
      await world.pass();
      assert.equal(await isGone(client, Endpoints, key), true);
    }),
  );

  it(
    "a namespace goes with all that is in it",
    inWorld(async (world) => {
      const { client, pass } = world;
      await client.create(Namespace, { metadata: { name: "team" } });
      await pass();
      await client.create(ConfigMap, {
        metadata: { name: "a", namespace: "team", finalizers: ["x/y"] },
      });
      const deployment = web("v1");
      await client.create(Deployment, {
        ...deployment,
        metadata: { name: "web", namespace: "team" },
      });
      await settle(world, 4);
      await client.delete(Namespace, { name: "team" });
      await settle(world, 8);
      const left = await client.get(Namespace, { name: "team" });
      const remaining = left.status?.conditions?.find(
        ({ type }) => type === "NamespaceContentRemaining",
      );
      assert.equal(
        remaining?.message,
        "Some resources are remaining: configmaps. has 1 resource instances",
      );
      const body = { metadata: { finalizers: null } };
      await client.patch(ConfigMap, { namespace: "team", name: "a" }, { type: "merge", body });
      await settle(world, 4);
      assert.equal(await isGone(client, Namespace, { name: "team" }), true);
    }),
  );

  it(
    "nodes get ranges; a silent one is tainted, its Pods are evicted after their time, and it recovers",
    inWorld(async (world) => {
      const { client, pass } = world;
      await addNode(world, "n1");
      await addNode(world, "n2");
      const ranges = (await client.list(Node)).items.map(({ spec }) => spec?.podCIDR);
      assert.deepEqual(ranges, ["10.244.0.0/24", "10.244.1.0/24"]);
      const tolerations = ["not-ready", "unreachable"].map((name) => ({
        key: `node.kubernetes.io/${name}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 30,
      }));
      const containers = [{ name: "c", image: "i" }];
      const key = { namespace: "default", name: "p" };
      await client.create(Pod, {
        metadata: key,
        spec: { nodeName: "n1", containers, tolerations },
      });
      await runPods(world);
      const readyOf = async (name: string): Promise<string | undefined> =>
        (await client.get(Node, { name })).status?.conditions?.find(({ type }) => type === "Ready")
          ?.status;
      for (let i = 0; i < 6; i++) {
        await renew(world, "n2");
        await pass(10_000);
      }
      assert.deepEqual([await readyOf("n1"), await readyOf("n2")], ["Unknown", "True"]);
      const taints = (await client.get(Node, { name: "n1" })).spec?.taints?.map(
        (taint) => `${taint.key}:${taint.effect}`,
      );
      assert.deepEqual(taints, [
        "node.kubernetes.io/unreachable:NoSchedule",
        "node.kubernetes.io/unreachable:NoExecute",
      ]);
      const pod = await client.get(Pod, key);
      assert.equal(pod.status?.conditions?.find(({ type }) => type === "Ready")?.status, "False");
      for (let i = 0; i < 3; i++) {
        await renew(world, "n2");
        await pass(10_000);
      }
      assert.notEqual((await client.get(Pod, key)).metadata?.deletionTimestamp, undefined);
      const now = formatTime(world.server.clock.now());
      const conditions = [
        { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now },
      ];
      await client.patch(
        Node,
        { name: "n1" },
        { type: "merge", body: { status: { conditions } } },
        { subresource: "status" },
      );
      await pass();
      assert.deepEqual((await client.get(Node, { name: "n1" })).spec?.taints ?? [], []);
    }),
  );

  it(
    "Pods of a node that is gone go after the quarantine",
    inWorld(async (world) => {
      const { client, pass } = world;
      await addNode(world);
      const key = { namespace: "default", name: "p" };
      const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }] };
      await client.create(Pod, { metadata: key, spec });
      await client.delete(Node, { name: "n1" });
      await pass(39_000);
      assert.equal(await isGone(client, Pod, key), false);
      await pass(3000);
      assert.equal(await isGone(client, Pod, key), true);
    }),
  );

  it(
    "a stack makes its workloads and Services, follows its changes, and goes with everything it made",
    inWorld(async (world) => {
      const { client, server, pass } = world;
      await addNode(world);
      const key = { namespace: "default", name: "app" };
      const front = { name: "web", image: "web:1", ports: [{ target: 80, published: 3000 }] };
      const back = { name: "db", image: "db:1", volumes: [{ type: "volume", target: "/data" }] };
      await client.create(Stack, { metadata: key, spec: { services: [front, back] } });
      await settle(world);
      assert.deepEqual(await namesOf(client, Service), ["db", "web", "web-published"]);
      assert.deepEqual(await namesOf(client, Deployment), ["web"]);
      assert.deepEqual(await namesOf(client, StatefulSet), ["db"]);
      const { status } = await client.get(Stack, key);
      assert.deepEqual(status, { phase: "Available", message: "All services are ready" });

      const before = server.store.revision();
      await pass(20_000);
      assert.equal(server.store.revision(), before, "at rest nothing is written");

      const published = { namespace: "default", name: "web-published" };
      const port = (await client.get(Service, published)).spec?.ports?.[0]?.nodePort;
      assert.ok(port);
      const spec = { services: [{ ...front, image: "web:2" }] };
      await client.patch(Stack, key, { type: "merge", body: { spec } });
      await settle(world);
      assert.deepEqual(await namesOf(client, Service), ["web", "web-published"]);
      assert.deepEqual(await namesOf(client, StatefulSet), []);
      const { spec: web } = await client.get(Deployment, { namespace: "default", name: "web" });
      assert.equal(web?.template.spec?.containers[0]?.image, "web:2");
      assert.equal((await client.get(Service, published)).spec?.ports?.[0]?.nodePort, port);

      await client.delete(Stack, key);
      await settle(world);
      assert.deepEqual(await namesOf(client, Service), []);
      assert.deepEqual(await namesOf(client, Deployment), []);
      assert.deepEqual(await namesOf(client, Pod), []);
    }),
  );

  it(
    "a stack that cannot be made says why, and is made once it can",
    inWorld(async (world) => {
      const { client } = world;
      await addNode(world);
      const key = { namespace: "default", name: "app" };
      const taken = { namespace: "default", name: "web" };
      await client.create(Service, { metadata: taken, spec: { ports: [{ port: 80 }] } });
      await client.create(Stack, {
        metadata: key,
        spec: { services: [{ name: "web", image: "web:1" }] },
      });
      await settle(world);
      const { status } = await client.get(Stack, key);
      assert.deepEqual(status, {
        phase: "Failure",
        message: "Service/web exists already and is not part of this stack",
      });
      assert.deepEqual(await namesOf(client, Deployment), []);
      await client.delete(Service, taken);
      await settle(world);
      assert.equal((await client.get(Stack, key)).status?.phase, "Available");
    }),
  );

  it(
    "at rest nothing is written",
    inWorld(async (world) => {
      const { client, server, pass } = world;
      await addNode(world);
      const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
      await client.create(Service, { metadata: { name: "web", namespace: "default" }, spec });
      await client.create(Deployment, web("v1"));
      await settle(world);
      await pass(10_000);
      const before = server.store.revision();
      await pass(20_000);
      assert.equal(server.store.revision(), before);
    }),
  );
});
