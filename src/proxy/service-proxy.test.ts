import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticCache } from "../../test/support/static-cache.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import { silentLogger } from "../base/logger.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { Cache } from "../client/cache.ts";
import type { V1Pod } from "../gen/types.ts";
import { ServiceProxy } from "./service-proxy.ts";

/** A cache whose kinds are listed when the test says so. */
class LateCache extends StaticCache {
  lists = 0;
  readonly #synced = new Map<string, () => void>();

  override list<T extends KubeObject>(...query: Parameters<Cache["list"]>): readonly T[] {
    this.lists++;
    return super.list(...query) as readonly T[];
  }

  sync(kind: Kind): Promise<void> {
    return new Promise((resolve) => this.#synced.set(kind.kind, resolve));
  }

  async listed(kind: string): Promise<void> {
    while (!this.#synced.has(kind)) await Promise.resolve();
    this.#synced.get(kind)!();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A proxy, and the rules it has applied. */
function proxyOver(cache: LateCache): { proxy: ServiceProxy; applied: readonly string[] } {
  const applied: string[] = [];
  const proxy = new ServiceProxy({
    cache: cache as unknown as Cache,
    clock: new VirtualClock(),
    logger: silentLogger,
    executor: { apply: (text) => Promise.resolve(void applied.push(text)) },
    nodeName: "n",
    ownAddresses: new Set(),
    settings: { clusterPodCidr: "10.244.0.0/16", nodePodCidr: undefined },
  });
  return { proxy, applied };
}

describe("ServiceProxy", () => {
  it("leaves the last agent's rules in force until all endpoints are known", async () => {
    const cache = new LateCache();
    const { proxy, applied } = proxyOver(cache);
    const started = proxy.start();
    cache.put(Service, {
      metadata: { namespace: "d", name: "web" },
      spec: { clusterIP: "10.96.0.9", ports: [{ port: 80 }], type: "ClusterIP" },
    });
    await cache.listed("Service");
    assert.deepEqual(applied, []);
    cache.put(EndpointSlice, {
      metadata: { namespace: "d", name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ port: 80 }],
      endpoints: [{ addresses: ["10.244.0.5"], conditions: { ready: true } }],
    });
    await cache.listed("EndpointSlice");
    await cache.listed("Pod");
    await started;
    assert.equal(applied.length, 1);
    assert.match(applied[0]!, /10\.244\.0\.5/);
    proxy.close();
  });

  it("follows hints from when it knows the zone of its node, without waiting for it", async () => {
    const cache = new LateCache();
    const { proxy, applied } = proxyOver(cache);
    cache.put(Service, {
      metadata: { namespace: "d", name: "web" },
      spec: { clusterIP: "10.96.0.9", ports: [{ port: 80 }], type: "ClusterIP" },
    });
    const endpoints = ["z", "y"].map((name, index) => ({
      addresses: [`10.244.0.${index}`],
      conditions: { ready: true },
      hints: { forZones: [{ name }] },
    }));
    cache.put(EndpointSlice, {
      metadata: { namespace: "d", name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      ...{ addressType: "IPv4", ports: [{ port: 80 }], endpoints },
    });
    const started = proxy.start();
    for (const kind of ["Service", "EndpointSlice", "Pod"]) await cache.listed(kind);
    await started;
    assert.match(applied.join(), /10\.244\.0\.1 /);
    const node = (zone: string) => ({
      metadata: { name: "n", labels: { "topology.kubernetes.io/zone": zone } },
    });
    cache.put(Node, node("z"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(applied[1]!, /delete element .*10\.244\.0\.1/);
    const lists = cache.lists;
    cache.put(Node, { ...node("z"), spec: { unschedulable: true } });
    assert.equal(cache.lists, lists);
    proxy.close();
  });

  it("plans anew for Pods with host ports, and for no others", async () => {
    const cache = new LateCache();
    const { proxy, applied } = proxyOver(cache);
    const started = proxy.start();
    for (const kind of ["Service", "EndpointSlice", "Pod"]) await cache.listed(kind);
    await started;
    const put = async (name: string, hostPort?: number): Promise<number> => {
      const before = cache.lists;
      cache.put(Pod, {
        metadata: { name, namespace: "d" },
        spec: {
          nodeName: "n",
          containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, hostPort }] }],
        },
        status: { podIP: "10.244.0.7" },
      } as V1Pod);
      await new Promise((resolve) => setImmediate(resolve));
      return cache.lists - before;
    };
    assert.equal(await put("plain"), 0);
    assert.ok((await put("web", 8080)) > 0);
    assert.match(applied.at(-1)!, /8080.*10\.244\.0\.7/s);
    assert.ok((await put("web")) > 0, "it had one before");
    assert.match(applied.at(-1)!, /delete element.*8080/s);
    proxy.close();
  });
});
