import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { planReplicas } from "../../reconciler/replicas.ts";
import { replicaSets } from "./replicaset.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
/** The plan for a set that sees these Pods. */
function plan(
  { set, pods, related }: { set: ReplicaSet; pods: readonly Pod[]; related: readonly Pod[] },
  now: number,
): Plan {
  return planReplicas(replicaSets, { keeper: set, pods, related }, now);
}

const LABELS = { app: "x" };

/** `a Ready`, `b Pending`, `c Running`, `d Failed`, `e Terminating`; `(free)` no controller, `(of y)` another one. */
function pod(text: string): Pod {
  const [name = "", state = "", ...rest] = text.trim().split(/ (?![^(]*\))/);
  const owner = rest.join(" ") === "(free)" ? undefined : (/\(of (\w+)\)/.exec(text)?.[1] ?? "set");
  const isReady = state === "Ready" || state === "Terminating";
  const since = "2026-01-01T00:59:50Z";
  return {
    metadata: {
      name,
      namespace: "d",
      uid: name,
      labels: LABELS,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(state === "Terminating" && { deletionTimestamp: since }),
      ...(owner && {
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true },
        ],
      }),
    },
    spec: { containers: [], ...(state !== "Unscheduled" && { nodeName: "n" }) },
    status: {
      phase:
        state === "Pending" || state === "Failed"
          ? state
          : state === "Unscheduled"
            ? "Pending"
            : "Running",
      conditions: [
        { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: since },
      ],
    },
  };
}

const pods = (text: string): Pod[] => (text ? text.split("|").map(pod) : []);

function set(replicas: number, extra: Partial<NonNullable<ReplicaSet["spec"]>> = {}): ReplicaSet {
  return {
    metadata: { name: "set", namespace: "d", uid: "set", generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: { containers: [] } },
      ...extra,
    },
  };
}

function summary(writes: readonly PlannedWrite[] = []): string {
  const creates = writes.filter((write) => write.verb === "create").length;
  const others = writes.flatMap((write) =>
    write.verb === "delete"
      ? [`delete ${write.key.name}`]
      : write.verb === "patch"
        ? [`adopt ${write.key.name}`]
        : [],
  );
  return [...others, ...(creates ? [`create ×${creates}`] : [])].join(", ");
}

//      Pods before                                    replicas, plan
const ROWS: readonly (readonly [string, number, string])[] = [
  ["", 2, "create ×2"],
  ["", 0, ""],
  ["", 700, "create ×500"], // one step is bounded
  ["a Ready | b Ready", 2, ""],
  ["a Ready | b Pending", 1, "delete b"], // the one not ready is cheaper to lose
  ["a Pending | b Unscheduled", 1, "delete b"],
  ["a Ready | x Ready (of y)", 1, ""], // not ours: neither counted nor deleted
  ["a Ready | o Ready (free)", 2, "adopt o"],
  ["a Ready | o Pending (free)", 1, "adopt o, delete o"],
  ["a Failed | b Ready", 2, "create ×1"], // what has ended counts no more
  ["a Terminating | b Ready", 2, "create ×1"],
];

describe("replicaset plan: writes", () => {
  for (const [before, replicas, expected] of ROWS) {
    it(`${replicas} wanted, "${before}" → "${expected}"`, () => {
      const given = pods(before);
      const result = plan({ set: set(replicas), pods: given, related: given }, NOW);
      assert.equal(summary(result.writes), expected);
    });
  }

  it("a set that is being deleted does nothing but count", () => {
    const going = set(3);
    const metadata = { ...going.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    const result = plan(
      { set: { ...going, metadata }, pods: pods("a Ready | o Ready (free)"), related: [] },
      NOW,
    );
    assert.equal(summary(result.writes), "");
  });

  it("of ready Pods goes the one on the node with more siblings", () => {
    const [a, b, c] = pods("a Ready | b Ready | c Ready") as [Pod, Pod, Pod];
    const moved = { ...a, spec: { ...a.spec!, nodeName: "other" } };
    const given = [moved, b, c];
    assert.match(
      summary(plan({ set: set(2), pods: given, related: given }, NOW).writes),
      /delete [bc]/,
    );
  });

  it("deletion cost decides among ready Pods", () => {
    const [a, b] = pods("a Ready | b Ready") as [Pod, Pod];
    const annotations = { "controller.kubernetes.io/pod-deletion-cost": "-5" };
    const cheap = { ...b, metadata: { ...b.metadata, annotations } };
    assert.equal(
      summary(plan({ set: set(1), pods: [a, cheap], related: [] }, NOW).writes),
      "delete b",
    );
  });
});

describe("replicaset plan: status", () => {
  it("counts ready, available and terminating Pods; zeros are left out", () => {
    const given = pods("a Ready | b Pending | c Terminating");
    const { status, wakeAt } = plan(
      { set: set(2, { minReadySeconds: 30 }), pods: given, related: [] },
      NOW,
    );
    assert.deepEqual(status, {
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 1,
      terminatingReplicas: 1,
    });
    assert.equal(wakeAt, NOW + 20_000, "ready since 10 s, available after 30");
  });

  it("says why Pods cannot be created, until they can", () => {
    const result = plan({ set: set(1), pods: [], related: [] }, NOW);
    const failure = { write: result.writes![0]!, message: "quota" };
    const failed = result.statusOnFailure!(failure) as NonNullable<ReplicaSet["status"]>;
    assert.deepEqual(failed.conditions, [
      {
        type: "ReplicaFailure",
        status: "True",
        reason: "FailedCreate",
        message: "quota",
        lastTransitionTime: "2026-01-01T01:00:00Z",
      },
    ]);
    const recovered = plan(
      { set: { ...set(1), status: failed }, pods: pods("a Ready"), related: [] },
      NOW,
    );
    assert.equal("conditions" in recovered.status!, false);
  });

  it("tells of each Pod that was created", () => {
    const { events } = plan({ set: set(1), pods: [], related: [] }, NOW);
    assert.deepEqual(
      events?.map(({ type, reason, message }) => [type, reason, message]),
      [
        ["Normal", "SuccessfulCreate", "Created pod: {name}"],
        ["Warning", "FailedCreate", "Error creating: {error}"],
      ],
    );
  });
});
