import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pod.ts";
import { GRACE_MS, planNode, STARTUP_GRACE_MS, type Observed } from "./nodelifecycle.ts";
import { evictionIntervals, ZoneHealth, zoneState } from "./zones.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
const TAINT = { NR: "node.kubernetes.io/not-ready", UR: "node.kubernetes.io/unreachable" };

function node(ready: string | undefined, taints: string[] = [], unschedulable = false): Node {
  return {
    metadata: { name: "n", uid: "n", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      ...(unschedulable && { unschedulable }),
      taints: taints.map((text) => {
        const [key = "", effect = ""] = text.split(":");
        return { key: TAINT[key as keyof typeof TAINT] ?? key, effect };
      }),
    },
    status: { conditions: ready ? [{ type: "Ready", status: ready }] : [] },
  };
}

const READY_POD: Pod = {
  metadata: { name: "p", namespace: "d", uid: "p" },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};

function observe(subject: Node, silentMs: number, mayEvictAt = NOW): Observed {
  return { node: subject, aliveAt: NOW - silentMs, mayEvictAt, isNew: false, pods: [READY_POD] };
}

function taintsOf(observed: Observed): string {
  const { plan } = planNode(observed, NOW);
  const write = plan.writes?.find(({ verb }) => verb === "update");
  const object = (write ? (write as { object: Node }).object : observed.node) as Node;
  const short = Object.fromEntries(Object.entries(TAINT).map(([key, long]) => [long, key]));
  return (object.spec?.taints ?? [])
    .map(({ key, effect }) => `${short[key] ?? key}:${effect}`)
    .join(" ");
}

const LOST = GRACE_MS + 1;

//     what                                         node, silent for ms, zone may evict at, taints
const ROWS: readonly (readonly [string, Node, number, number, string])[] = [
  ["healthy", node("True"), 0, NOW, ""],
  [
    "healthy again",
    node("True", ["NR:NoSchedule", "NR:NoExecute", "mine:NoSchedule"]),
    0,
    NOW,
    "mine:NoSchedule",
  ],
  ["says that it is not ready", node("False"), 0, NOW, "NR:NoSchedule NR:NoExecute"],
  ["silent", node("True"), LOST, NOW, "UR:NoSchedule UR:NoExecute"],
  [
    "not ready, then silent: swapped",
    node("False", ["NR:NoSchedule", "NR:NoExecute"]),
    LOST,
    NOW + 1,
    "UR:NoSchedule UR:NoExecute",
  ],
  ["the zone is not due", node("False"), 0, NOW + 5000, "NR:NoSchedule"],
  [
    "the zone evicts nobody",
    node("False", ["NR:NoSchedule", "NR:NoExecute"]),
    0,
    Infinity,
    "NR:NoSchedule",
  ],
  ["cordoned", node("True", [], true), 0, NOW, "node.kubernetes.io/unschedulable:NoSchedule"],
];

describe("node lifecycle plan: taints", () => {
  for (const [what, subject, silentMs, mayEvictAt, expected] of ROWS) {
    it(`${what} → "${expected}"`, () => {
      assert.equal(taintsOf(observe(subject, silentMs, mayEvictAt)), expected);
    });
  }

  it("taints are stamped with the time", () => {
    const { plan } = planNode(observe(node("False"), 0), NOW);
    const { object } = plan.writes![0] as { object: Node };
    assert.equal(object.spec?.taints?.[0]?.timeAdded, "2026-01-01T01:00:00Z");
  });
});

describe("node lifecycle plan: silence", () => {
  it("is waited for exactly", () => {
    const { plan } = planNode(observe(node("True"), 10_000), NOW);
    assert.equal(plan.wakeAt, NOW + GRACE_MS - 10_000);
    assert.equal(plan.status, undefined);
  });

  it("makes posted conditions Unknown, and those never posted too", () => {
    const { plan } = planNode(observe(node("True"), LOST), NOW);
    const conditions = (plan.status as Node["status"])!.conditions!;
    assert.deepEqual(
      conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
      [
        ["Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."],
        ...["MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => [
          type,
          "Unknown",
          "NodeStatusNeverUpdated",
          "Kubelet never posted node status.",
        ]),
      ],
    );
  });

  it("marks ready Pods not ready, and tells", () => {
    const { plan } = planNode(observe(node("True"), LOST), NOW);
    const patch = plan.writes?.find(({ verb }) => verb === "patch");
    assert.ok(patch);
    assert.deepEqual(
      plan.events?.map(({ reason, message }) => [reason, message]),
      [
        ["NodeNotReady", "Node n status is now: NodeNotReady"],
        ["NodeNotReady", "Node is not ready"],
      ],
    );
  });

  it("a node that just registered has longer", () => {
    assert.equal(planNode(observe(node(undefined), LOST), NOW).plan.status, undefined);
    assert.notEqual(
      planNode(observe(node(undefined), STARTUP_GRACE_MS), NOW).plan.status,
      undefined,
    );
  });
});

describe("zones", () => {
  it("states", () => {
    assert.deepEqual(
      [
        [5, 0],
        [0, 1],
        [1, 2],
        [2, 3],
        [10, 5],
      ].map(([ready, ill]) => zoneState(ready!, ill!)),
      ["normal", "full", "normal", "partial", "normal"],
    );
  });

  it("a zone that is mostly ill evicts slowly if it is large, and not at all if it is small", () => {
    const paceOf = (ready: number, notReady: number): number | undefined =>
      evictionIntervals(new Map([["z", { ready, notReady }]])).get("z");
    assert.equal(paceOf(30, 30), 10_000);
    assert.equal(paceOf(27, 33), 100_000); // 55 % of 60
    assert.equal(paceOf(22, 28), Infinity); // 56 % of 50
    assert.equal(paceOf(1, 2), 10_000); // two alone prove nothing
  });

  it("one lost zone of two evicts at the normal pace; when all are lost nobody is evicted", () => {
    const inZone = (zone: string, ready: string): Node => ({
      ...node(ready),
      metadata: { name: zone, labels: { "topology.kubernetes.io/zone": zone } },
    });
    const health = new ZoneHealth();
    const intervals = (): number[] =>
      ["a", "b"].map((zone) => health.intervalMs(`:\u0000:${zone}`));
    health.set("1", inZone("a", "True"));
    health.set("2", inZone("b", "Unknown"));
    assert.deepEqual(intervals(), [10_000, 10_000]);
    health.set("1", inZone("a", "False"));
    assert.deepEqual(intervals(), [Infinity, Infinity]);
    assert.deepEqual([...health.ill], ["2", "1"]);
    health.set("2", undefined);
    health.set("1", inZone("b", "True"));
    assert.deepEqual(intervals(), [Infinity, 10_000]);
    assert.deepEqual([...health.ill], []);
  });
});
