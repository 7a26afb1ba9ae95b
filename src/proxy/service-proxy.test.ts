import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticCache } from "../../test/support/static-cache.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { Service } from "../api/core/service.ts";
import { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import { silentLogger } from "../base/logger.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { Cache } from "../client/cache.ts";
import { ServiceProxy } from "./service-proxy.ts";

/** A cache whose kinds are listed when the test says so. */
class LateCache extends StaticCache {
  readonly #synced = new Map<string, () => void>();

  sync(kind: Kind): Promise<void> {
    return new Promise((resolve) => this.#synced.set(kind.kind, resolve));
  }

  async listed(kind: string): Promise<void> {
    while (!this.#synced.has(kind)) await Promise.resolve();
    this.#synced.get(kind)!();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("ServiceProxy", () => {
  it("leaves the last agent's rules in force until all endpoints are known", async () => {
    const cache = new LateCache();
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
});
