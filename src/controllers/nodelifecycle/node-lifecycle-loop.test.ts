import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { Lease } from "../../api/coordination/lease.ts";
import { Node } from "../../api/core/node.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import type { Cache } from "../../client/cache.ts";
import { nodeLifecycleLoop } from "./node-lifecycle-loop.ts";
import { GRACE_MS } from "./nodelifecycle.ts";

const HOUR_MS = 3_600_000;

describe("nodeLifecycleLoop", () => {
  for (const [what, setMs] of [
    ["forward", 5 * HOUR_MS],
    ["back", -5 * HOUR_MS],
  ] as const)
    it(`a clock set ${what} by hours makes no node silent, and no silent node alive`, async () => {
      const clock = new VirtualClock();
      const cache = new StaticCache();
      const condition = {
        type: "Ready",
        status: "True",
        lastHeartbeatTime: "2026-01-01T00:00:00Z",
      };
      const node = { metadata: { name: "n" }, status: { conditions: [condition] } };
      cache.put(Node, node);
      cache.put(Lease, { metadata: { namespace: "kube-node-lease", name: "n" }, spec: {} });
      const loop = nodeLifecycleLoop(cache as unknown as Cache, clock);
      const key = { namespace: "", name: "n" };
      loop.keysOf({ kind: Node, key, old: undefined, object: node });
      const judged = (): string => {
        const { plan } = loop.decide("n", clock.now())!;
        return JSON.stringify(plan.status ?? "");
      };
      judged();
      clock.set(setMs);
      assert.doesNotMatch(judged(), /NodeStatusUnknown/);
      await clock.advance(GRACE_MS);
      assert.match(judged(), /NodeStatusUnknown/);
    });
});
