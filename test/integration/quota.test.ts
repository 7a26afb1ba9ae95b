import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../src/api/catalog.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { ResourceQuota } from "../../src/api/core/resource-quota.ts";
import { Service } from "../../src/api/core/service.ts";
import type { Kind } from "../../src/api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../../src/api/machinery/object.ts";
import { isStatusError } from "../../src/api/machinery/status-error.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { EventRecorder } from "../../src/client/event-recorder.ts";
import type { Cache, CacheFilter } from "../../src/client/cache.ts";
import type { Client } from "../../src/client/client.ts";
import { resourceQuotaLoop } from "../../src/controllers/resourcequota/resourcequota.ts";
import { runLoop } from "../../src/reconciler/runner.ts";
import { fixedKinds } from "../../src/reconciler/served-kinds.ts";
import { startTestServer, type TestServer } from "../support/api-server.ts";

interface World {
  readonly client: Client;
  readonly server: TestServer;
  /** Lets the controller do what is due. */
  settle(): Promise<void>;
  /** The controller hears of no Pod from now on; the returned call ends that. */
  delayPods(): () => void;
  /** What the quota `q` says is used. */
  used(): Promise<object | undefined>;
}

const KINDS = catalog
  .filter(({ verbs, kind }) => (!verbs || verbs.includes("list")) && kind.kind !== "Event")
  .map(({ kind }) => kind as Kind);

function inWorld(hard: Record<string, string>, body: (world: World) => Promise<void>) {
  return async (): Promise<void> => {
    const server = await startTestServer();
    const { client, clock } = server;
    const cache = new InProcessCache(server.server.parts);
    const own = new UnevenCache(cache);
    const events = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    const surroundings = { client, cache: own, clock, logger: silentLogger, events };
    const loop = runLoop(resourceQuotaLoop(fixedKinds(KINDS), own), surroundings);
    await loop.ready;
    const settle = (): Promise<void> => clock.advance(100);
    const key = { namespace: "d", name: "q" };
    await client.create(Namespace, { metadata: { name: "d" } });
    await client.create(ResourceQuota, { metadata: key, spec: { hard } });
    await settle();
    const used = async (): Promise<object | undefined> =>
      (await client.get(ResourceQuota, key)).status?.used;
    await body({ client, server, settle, delayPods: () => own.delay(Pod), used })
      .finally(() => loop.close())
      .finally(() => cache.close())
      .finally(() => events.close())
      .finally(() => server.close());
  };
}

/** The server's own cache, as one that follows it over the network is: each kind on its own, some later than others. */
class UnevenCache implements Cache {
  readonly #cache: Cache;
  readonly #late = new Map<
    Kind,
    { readonly items: readonly KubeObject[]; readonly revision: number }
  >();
  readonly #listeners: [Kind, (revision: number) => void][] = [];

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** `kind` stands still until the returned call. */
  delay(kind: Kind): () => void {
    this.#late.set(kind, { items: this.list(kind), revision: this.revision(kind) });
    return () => {
      this.#late.delete(kind);
      for (const [own, listener] of this.#listeners)
        if (own === kind) listener(this.revision(kind));
    };
  }

  list<T extends KubeObject>(kind: Kind<T>, filter?: CacheFilter<T>): readonly T[] {
    const late = this.#late.get(kind as Kind);
    return late ? (late.items as readonly T[]) : this.#cache.list(kind, filter);
  }

  count = (kind: Kind, namespace: string): number => this.list(kind, { namespace }).length;

  revision(kind: Kind): number {
    return this.#late.get(kind)?.revision ?? this.#cache.revision(kind);
  }

  onRevision(kind: Kind, listener: (revision: number) => void): void {
    this.#listeners.push([kind, listener]);
    this.#cache.onRevision(kind, (revision) => {
      if (!this.#late.has(kind)) listener(revision);
    });
  }

  get = <T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T | undefined =>
    this.#cache.get(kind, key);
  sync = (kind: Kind): Promise<void> => this.#cache.sync(kind);
  onChange: Cache["onChange"] = (kind, listener) => this.#cache.onChange(kind, listener);
  close = (): void => this.#cache.close();
}

const pod = (name: string, cpu?: string): Pod => ({
  metadata: { name, namespace: "d" },
  spec: {
    containers: [{ name: "c", image: "i", ...(cpu && { resources: { requests: { cpu } } }) }],
  },
});

/** The message of a refusal. */
async function refusal(write: Promise<unknown>): Promise<string> {
  try {
    await write;
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
  return "";
}

describe("quotas", () => {
  it(
    "refuse what is too much, count what came with it, and give back what has gone",
    inWorld({ pods: "2", "requests.cpu": "1" }, async ({ client, settle, used }) => {
      await client.create(Pod, pod("a", "600m"));
      assert.deepEqual(await used(), { pods: "1", "requests.cpu": "600m" });
      assert.equal(
        await refusal(client.create(Pod, pod("b", "500m"))),
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
      );
      assert.equal(
        await refusal(client.create(Pod, pod("b"))),
        'pods "b" is forbidden: failed quota: q: must specify requests.cpu for: c',
      );
      await client.create(Pod, pod("b", "400m"));
      assert.match(
        await refusal(client.create(Pod, pod("c", "1m"))),
        /requested: pods=1,requests.cpu=1m/,
      );
      await client.delete(Pod, { namespace: "d", name: "a" }, { graceSeconds: 0 });
      await settle();
      assert.deepEqual(await used(), { pods: "1", "requests.cpu": "400m" });
      await client.create(Pod, pod("c", "600m"));
    }),
  );
  it(
    "are never passed by writes at once",
    inWorld({ "count/configmaps": "5" }, async ({ client, used }) => {
      const creates = Array.from({ length: 20 }, (_, index) =>
        refusal(client.create(ConfigMap, { metadata: { name: `c${index}`, namespace: "d" } })),
      );
      const refused = (await Promise.all(creates)).filter((message) => message !== "");
      assert.equal(refused.length, 15);
      assert.deepEqual(await used(), { "count/configmaps": "5" });
    }),
  );
  it(
    "do not count what was not written",
    inWorld({ configmaps: "5" }, async ({ client, server, used }) => {
      const map = { metadata: { name: "c", namespace: "d" } };
      await client.create(ConfigMap, map);
      assert.match(await refusal(client.create(ConfigMap, map)), /already exists/);
      const path = "/api/v1/namespaces/d/configmaps?dryRun=All";
      assert.equal((await server.request("POST", path, { metadata: { name: "e" } })).status, 201);
      assert.deepEqual(await used(), { configmaps: "1" });
    }),
  );
  it(
    "count what grows",
    inWorld({ "services.nodeports": "1" }, async ({ client, used }) => {
      const ports = [{ name: "a", port: 1 }];
      const service = (type: string, more: object[] = []): Service => ({
        metadata: { name: "s", namespace: "d" },
        spec: { type, ports: [...ports, ...more] as never, selector: { a: "b" } },
      });
      await client.create(Service, service("ClusterIP"));
      const key = { namespace: "d", name: "s" };
      const change = async (type: string, more: object[] = []): Promise<unknown> => {
        const old = await client.get(Service, key);
        return client.update(Service, {
          ...old,
          spec: { ...old.spec, ...service(type, more).spec },
        });
      };
      await change("NodePort");
      assert.deepEqual(await used(), { "services.nodeports": "1" });
      assert.match(
        await refusal(change("NodePort", [{ name: "b", port: 2 }])),
        /exceeded quota: q/,
      );
    }),
  );
  it(
    "are not passed though the controller hears late of what was made",
    inWorld({ pods: "1", services: "1" }, async ({ client, settle, delayPods, used }) => {
      const catchUp = delayPods();
      await client.create(Pod, pod("a"));
      const hard = { pods: "1", services: "2" };
      const patch = { type: "merge", body: { spec: { hard } } } as const;
      await client.patch(ResourceQuota, { namespace: "d", name: "q" }, patch);
      await settle();
      assert.match(await refusal(client.create(Pod, pod("b"))), /exceeded quota: q/);
      catchUp();
      await settle();
      assert.deepEqual(await used(), { pods: "1", services: "0" });
      const { status } = await client.get(ResourceQuota, { namespace: "d", name: "q" });
      assert.deepEqual(status?.hard, hard);
    }),
  );
  it("refuse while they have not been counted", async () => {
    const server = await startTestServer();
    const { client } = server;
    await client.create(Namespace, { metadata: { name: "d" } });
    const quota = { metadata: { name: "q", namespace: "d" }, spec: { hard: { pods: "2" } } };
    await client.create(ResourceQuota, quota);
    assert.equal(
      await refusal(client.create(Pod, pod("a"))),
      'pods "a" is forbidden: status unknown for quota: q, resources: pods',
    );
    await server.close();
  });
});
