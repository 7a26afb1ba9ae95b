import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigMap } from "../api/core/config-map.ts";
import { Namespace } from "../api/core/namespace.ts";
import { Pod } from "../api/core/pod.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import { PriorityClass } from "../api/scheduling/priority-class.ts";
import type { CacheChange } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import { inServer, startTestServer } from "../../test/support/api-server.ts";
import { InProcessCache } from "./in-process-cache.ts";

const key = (name: string): { namespace: string; name: string } => ({ namespace: "default", name });

describe("in process", () => {
  it(
    "what every cluster has is there from the start",
    inServer(async ({ client }) => {
      const names = async (kind: Kind): Promise<unknown[]> =>
        (await client.list(kind)).items.map(({ metadata }) => metadata?.name);
      const namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];
      assert.deepEqual(await names(Namespace), namespaces);
      const classes = ["system-cluster-critical", "system-node-critical"];
      assert.deepEqual(await names(PriorityClass), classes);
    }),
  );

  it(
    "the client writes, and the cache has it when the write returns",
    inServer(async ({ client, server }) => {
      const cache = new InProcessCache(server.parts);
      const created = await client.create(ConfigMap, { metadata: key("a"), data: { k: "v" } });
      assert.equal(cache.get(ConfigMap, key("a")), created);
      assert.equal(await client.get(ConfigMap, key("a")), created);
      const patch = { type: "merge", body: { data: { k: "w" } } } as const;
      const changed = await client.patch(ConfigMap, key("a"), patch);
      assert.deepEqual(changed.data, { k: "w" });
      assert.ok(cache.revision() >= Number(changed.metadata!.resourceVersion));
      const deleted = await client.delete(ConfigMap, key("a"));
      assert.ok(
        Number(deleted.metadata!.resourceVersion) > Number(changed.metadata!.resourceVersion),
      );
      assert.equal(cache.get(ConfigMap, key("a")), undefined);
      await assert.rejects(client.get(ConfigMap, key("a")), (error) =>
        isStatusError(error, "NotFound"),
      );
    }),
  );

  it(
    "the cache tells of changes in order, and finds by controller",
    inServer(async ({ client, server }) => {
      const cache = new InProcessCache(server.parts);
      const told: string[] = [];
      const owner = { apiVersion: "v1", kind: "X", name: "x", uid: "u1", controller: true };
      await client.create(ConfigMap, { metadata: { ...key("a"), ownerReferences: [owner] } });
      cache.onChange(ConfigMap, ({ key: { name }, old, object }) =>
        told.push(`${old ? "old" : "-"} ${object ? "new" : "-"} ${name}`),
      );
      await client.create(ConfigMap, { metadata: { ...key("b"), ownerReferences: [owner] } });
      const byOwner = (): string =>
        cache
          .list(ConfigMap, { controllerUid: "u1" })
          .map(({ metadata }) => metadata!.name)
          .join(" ");
      assert.equal(byOwner(), "a b");
      await client.delete(ConfigMap, key("a"));
      assert.equal(byOwner(), "b");
      assert.deepEqual(told, ["- new a", "- new b", "old - a"]);
    }),
  );

  it(
    "the cache finds Pods by node, and is not misled by labels",
    inServer(async ({ client, server }) => {
      const create = (name: string, nodeName: string | undefined, labels = {}): Promise<unknown> =>
        client.create(Pod, {
          metadata: { ...key(name), labels },
          spec: { containers: [{ name: "c", image: "i" }], ...(nodeName && { nodeName }) },
        });
      await create("a", "n1");
      const cache = new InProcessCache(server.parts);
      const on = (nodeName: string): string =>
        cache
          .list(Pod, { nodeName })
          .map(({ metadata }) => metadata!.name)
          .join(" ");
      assert.equal(on("n1"), "a");
      await create("c", "n1", { nodeName: "n2" });
      await create("b", "n1", { nodeName: "n1" });
      await create("d", undefined, { nodeName: "n1" });
      assert.deepEqual([on("n1"), on("n2")], ["a b c", ""]);
      await client.delete(Pod, key("a"), { graceSeconds: 0 });
      assert.equal(on("n1"), "b c");
    }),
  );

  it(
    "the cache finds Pods by node after a start too, and while they move",
    inServer(async ({ client, store }) => {
      const spec = { containers: [{ name: "c", image: "i" }] };
      for (const name of ["a", "b"])
        await client.create(Pod, { metadata: { ...key(name), labels: { nodeName: "n2" } }, spec });
      const bind = (by: Client, name: string, node: string): Promise<unknown> => {
        const binding = { metadata: { name }, target: { kind: "Node", name: node } };
        return by.createSubresource(Pod, key(name), "binding", binding);
      };
      await bind(client, "a", "n1");
      const again = await startTestServer({ store });
      const cache = new InProcessCache(again.server.parts);
      const found = (): string =>
        ["n1", "n2"]
          .map((nodeName) => {
            const pods = cache.list(Pod, { nodeName });
            return `${nodeName}: ${pods.map(({ metadata }) => metadata!.name).join(" ")}`;
          })
          .join(", ");
      assert.equal(found(), "n1: a, n2: ");
      await bind(again.client, "b", "n2");
      assert.equal(found(), "n1: a, n2: b");
      const body = { metadata: { labels: { nodeName: "n1" } } };
      await again.client.patch(Pod, key("a"), { type: "merge", body });
      assert.equal(found(), "n1: a, n2: b");
      for (const name of ["a", "b"]) await again.client.delete(Pod, key(name), { graceSeconds: 0 });
      assert.equal(found(), "n1: , n2: ");
    }),
  );

  it(
    "all who listen hear of an event as one change",
    inServer(async ({ client, server }) => {
      const cache = new InProcessCache(server.parts);
      const told: CacheChange[] = [];
      for (let listener = 0; listener < 2; listener++)
        cache.onChange(ConfigMap, (change) => void told.push(change));
      await client.create(ConfigMap, { metadata: key("a") });
      await client.create(ConfigMap, { metadata: key("b") });
      const [first, second, third, fourth] = told;
      assert.equal(first, second);
      assert.equal(third, fourth);
      assert.deepEqual([first!.key, third!.key], [key("a"), key("b")]);
    }),
  );

  it(
    "a watch tells of what comes, and ends when asked",
    inServer(async ({ client }) => {
      const stop = new AbortController();
      const seen: string[] = [];
      const watching = (async () => {
        for await (const event of client.watch(ConfigMap, { signal: stop.signal })) {
          if (event.type !== "BOOKMARK") seen.push(`${event.type} ${event.object.metadata!.name}`);
          if (seen.length === 2) stop.abort();
        }
      })();
      await client.create(ConfigMap, { metadata: key("a") });
      await client.delete(ConfigMap, key("a"));
      await watching;
      assert.deepEqual(seen, ["ADDED a", "DELETED a"]);
    }),
  );

  it(
    "a Pod is bound once",
    inServer(async ({ client }) => {
      const spec = { containers: [{ name: "c", image: "i" }] };
      await client.create(Pod, { metadata: key("p"), spec });
      const binding = { metadata: { name: "p" }, target: { kind: "Node", name: "n1" } };
      await client.createSubresource(Pod, key("p"), "binding", binding);
      const pod = await client.get(Pod, key("p"));
      assert.equal(pod.spec!.nodeName, "n1");
      assert.equal(
        pod.status!.conditions!.find(({ type }) => type === "PodScheduled")!.status,
        "True",
      );
      await assert.rejects(
        client.createSubresource(Pod, key("p"), "binding", binding),
        /already assigned to node "n1"/,
      );
    }),
  );
});
