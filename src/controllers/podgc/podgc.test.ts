import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pod.ts";
import { Node as NodeKind } from "../../api/core/node.ts";
import { Pod as PodKind } from "../../api/core/pod.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { plan, planTerminated, podGcLoop, type Observed } from "./podgc.ts";

const NOW = Date.UTC(2026, 0, 1);

function pod(phase: string, nodeName?: string, deleting = false, name = "p"): Pod {
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  return {
    metadata: { name, namespace: "d", uid: name, ...(deleting && { deletionTimestamp }) },
    spec: { containers: [], ...(nodeName && { nodeName }) },
    status: { phase },
  };
}

function node(ready: string, taint?: string): Node {
  return {
    metadata: { name: "n" },
    spec: taint ? { taints: [{ key: taint, effect: "NoExecute" }] } : {},
    status: { conditions: [{ type: "Ready", status: ready }] },
  };
}

const OUT = "node.kubernetes.io/out-of-service";

//     what                                        observed, plan
const ROWS: readonly (readonly [string, Observed, string])[] = [
  [
    "running on a node that is there",
    { pod: pod("Running", "n"), node: node("True"), missingSince: undefined },
    "",
  ],
  [
    "its node is missing, not long",
    { pod: pod("Running", "n"), node: undefined, missingSince: NOW - 39_999 },
    "wake +1",
  ],
  [
    "its node is gone",
    { pod: pod("Running", "n"), node: undefined, missingSince: NOW - 40_000 },
    "patch delete",
  ],
  [
    "ended, its node is gone",
    { pod: pod("Succeeded", "n"), node: undefined, missingSince: NOW - 40_000 },
    "delete",
  ],
  ["waits for a node", { pod: pod("Pending"), node: undefined, missingSince: undefined }, ""],
  [
    "ending without a node",
    { pod: pod("Pending", undefined, true), node: undefined, missingSince: undefined },
    "patch delete",
  ],
  [
    "ending on a silent node",
    { pod: pod("Running", "n", true), node: node("Unknown"), missingSince: undefined },
    "",
  ],
  [
    "ending on a node out of service",
    { pod: pod("Running", "n", true), node: node("Unknown", OUT), missingSince: undefined },
    "patch delete",
  ],
  [
    "running on a node out of service",
    { pod: pod("Running", "n"), node: node("Unknown", OUT), missingSince: undefined },
    "",
  ],
];

describe("podgc plan", () => {
  for (const [what, observed, expected] of ROWS) {
    it(`${what} → "${expected}"`, () => {
      const { writes = [], wakeAt } = plan(observed, NOW);
      const words = writes.map(({ verb }) => verb).join(" ");
      assert.equal(wakeAt === undefined ? words : `wake +${wakeAt - NOW}`, expected);
      assert.ok(writes.every((write) => write.verb !== "delete" || write.graceSeconds === 0));
    });
  }

  it("of too many ended Pods the oldest go", () => {
    const at = (name: string, hour: number): Pod => {
      const ended = pod("Failed", "n", false, name);
      return {
        ...ended,
        metadata: { ...ended.metadata, creationTimestamp: `2026-01-01T0${hour}:00:00Z` },
      };
    };
    const { writes } = planTerminated([at("c", 3), at("a", 1), at("b", 2)], 1);
    assert.deepEqual(
      writes?.map((write) => "key" in write && write.key.name),
      ["a", "b"],
    );
    assert.deepEqual(planTerminated([at("a", 1)], 1), {});
    const evicted: Pod = { ...at("e", 9), status: { phase: "Failed", reason: "Evicted" } };
    const [first] = planTerminated([at("a", 1), evicted], 1).writes!;
    assert.equal(first && "key" in first && first.key.name, "e");
  });
});

describe("podGcLoop", () => {
  it("looks at no Pod for which there is nothing to plan, and at every other", () => {
    for (const [what, { pod: subject, node: its }, expected] of ROWS) {
      const cache = new StaticCache().put(PodKind, subject);
      if (its) cache.put(NodeKind, its);
      const loop = podGcLoop(cache as unknown as Cache);
      const change = { kind: PodKind, key: keyOf(subject), old: undefined, object: subject };
      const isLookedAt = loop.keysOf(change as never).length > 0;
      if (expected !== "") assert.ok(isLookedAt, what);
      if (its && expected === "" && its.spec?.taints === undefined) assert.ok(!isLookedAt, what);
    }
  });

  it("a node that came back is not missing any more: its next absence counts from its own beginning", () => {
    const cache = new StaticCache().put(PodKind, pod("Running", "n"));
    const loop = podGcLoop(cache as unknown as Cache);
    const wakeAt = (now: number): number | undefined => loop.decide("d/p", now)!.plan.wakeAt;
    assert.equal(wakeAt(NOW), NOW + 40_000);
    const key = { namespace: "", name: "n" };
    loop.keysOf({ kind: NodeKind, key, old: undefined, object: node("True") } as never);
    assert.equal(wakeAt(NOW + 30_000), NOW + 70_000);
  });
});
