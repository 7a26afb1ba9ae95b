import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { Job } from "../../api/batch/job.ts";
import { Pod } from "../../api/core/pod.ts";
import { ReplicationController } from "../../api/core/replication-controller.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import { formatTime } from "../../base/clock.ts";
import type { Cache } from "../../client/cache.ts";
import type { V1PodDisruptionBudgetSpec, V1PodDisruptionBudgetStatus } from "../../gen/types.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { controllerReference } from "../../reconciler/ownership.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { disruptionLoop } from "./disruption.ts";
import { ownerOf, type Owner } from "./owners.ts";
import { plan } from "./plan.ts";
import { plan as planStale, staleTargetLoop } from "./stale-target.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (ms: number): string => formatTime(NOW + ms);

function budget(
  spec: V1PodDisruptionBudgetSpec,
  status?: Partial<V1PodDisruptionBudgetStatus>,
): PodDisruptionBudget {
  return {
    metadata: { name: "b", namespace: "d", generation: 2 },
    spec: { selector: { matchLabels: { app: "x" } }, ...spec },
    ...(status && { status: status as V1PodDisruptionBudgetStatus }),
  };
}

/** `a` is ready, `a!` is not, `a-` is being deleted. */
function pod(text: string): Pod {
  const name = text.replace(/[!-]$/, "");
  const isGoing = text.endsWith("-");
  const status = text.endsWith("!") ? "False" : "True";
  const deletionTimestamp = at(0);
  return {
    metadata: {
      name,
      namespace: "d",
      uid: name,
      labels: { app: "x" },
      ...(isGoing && { deletionTimestamp }),
    },
    spec: { containers: [] },
    status: { phase: "Running", conditions: [{ type: "Ready", status }] },
  };
}

const SET: Owner = { kind: "scaled", uid: "s", replicas: 4 };
const OTHER: Owner = { kind: "scaled", uid: "t", replicas: 6 };
const NONE: Owner = { kind: "none" };
const JOB: Owner = {
  kind: "uncounted",
  why: "jobs.batch does not implement the scale subresource",
};

//   budget                       pods                owners        allowed healthy/desired of expected
type Row = readonly [V1PodDisruptionBudgetSpec, string, readonly Owner[], string];
const ROWS: readonly Row[] = [
  [{ minAvailable: 1 }, "", [], "0: 0/1 of 0"],
  [{ minAvailable: 1 }, "a", [NONE], "0: 1/1 of 1"],
  [{ minAvailable: 1 }, "a b", [NONE], "1: 2/1 of 2"],
  [{ minAvailable: 3 }, "a b c d!", [SET], "0: 3/3 of 4"],
  [{ minAvailable: 0 }, "", [], "0: 0/0 of 0"], // it may match Pods soon, and has not counted them
  [{ minAvailable: 0 }, "a!", [SET], "0: 0/0 of 1"],
  [{ minAvailable: 2 }, "a b c-", [SET], "0: 2/2 of 3"],
  [{ minAvailable: "50%" }, "a b c d", [SET], "2: 4/2 of 4"],
  [{ minAvailable: "51%" }, "a b c d", [SET], "1: 4/3 of 4"], // upwards
  [{ minAvailable: "50%" }, "a b", [SET], "0: 2/2 of 4"], // of what is wanted, not of what there is
  [{ minAvailable: "50%" }, "a b c d e f", [SET, OTHER], "1: 6/5 of 10"],
  [{ minAvailable: "50%" }, "a b", [NONE], "0: 2/0 of 0"],
  [{ minAvailable: "100%" }, "a b c d", [SET], "0: 4/4 of 4"],
  [{ maxUnavailable: 1 }, "a b c d", [SET], "1: 4/3 of 4"],
  [{ maxUnavailable: 1 }, "a b c d!", [SET], "0: 3/3 of 4"],
  [{ maxUnavailable: 9 }, "a b c d", [SET], "4: 4/0 of 4"],
  [{ maxUnavailable: "30%" }, "a b c d", [SET], "2: 4/2 of 4"], // upwards too: a small set can be drained
  [{ maxUnavailable: 0 }, "a b c d", [SET], "0: 4/4 of 4"],
  [{ maxUnavailable: 1 }, "a b", [NONE], "0: 2/0 of 0"],
  [{}, "a b", [SET], "0: 2/0 of 0"],
];

function planned(of: PodDisruptionBudget, pods: string, owners: readonly Owner[]) {
  const names = pods.split(" ").filter((name) => name !== "");
  const observed = names.map((name, i) => ({
    pod: pod(name),
    owner: owners[i % owners.length]!,
  }));
  return plan({ budget: of, pods: observed }, NOW);
}

type Counted = Required<V1PodDisruptionBudgetStatus>;

const statusOf = ({ status }: Plan): Counted => status as Counted;

describe("disruption plan", () => {
  for (const [spec, pods, owners, expected] of ROWS) {
    it(`${JSON.stringify(spec)} over "${pods}" → ${expected}`, () => {
      const status = statusOf(planned(budget(spec), pods, owners));
      const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status;
      const said = `${disruptionsAllowed}: ${currentHealthy}/${desiredHealthy} of ${expectedPods}`;
      assert.equal(said, expected);
      assert.equal(status.observedGeneration, 2);
      const { type, status: value, reason, observedGeneration } = status.conditions![0]!;
      assert.deepEqual(
        [type, value, reason, observedGeneration],
        disruptionsAllowed > 0
          ? ["DisruptionAllowed", "True", "SufficientPods", 2]
          : ["DisruptionAllowed", "False", "InsufficientPods", 2],
      );
    });
  }

  it("never allows more than what is healthy beyond the wish, whatever the budget", () => {
    for (const minAvailable of [undefined, 0, 1, 3, "0%", "25%", "100%"])
      for (const maxUnavailable of minAvailable === undefined ? [0, 1, "34%", "100%"] : [undefined])
        for (const pods of ["", "a", "a b!", "a b c", "a b c- d!"]) {
          const spec = {
            ...(minAvailable !== undefined && { minAvailable }),
            ...(maxUnavailable !== undefined && { maxUnavailable }),
          };
          const status = statusOf(planned(budget(spec), pods, [SET]));
          const spare = status.currentHealthy - status.desiredHealthy;
          assert.ok(status.disruptionsAllowed <= Math.max(0, spare));
        }
  });

  it("an evicted Pod counts as gone before it is, for two minutes, and is complained of then", () => {
    const evicted = (ms: number): PodDisruptionBudget =>
      budget({ minAvailable: 1 }, { disruptedPods: { a: at(-ms), gone: at(0) } });
    const fresh = planned(evicted(119_000), "a b c", [SET]);
    const status = statusOf(fresh);
    assert.deepEqual([status.currentHealthy, status.disruptionsAllowed], [2, 1]);
    assert.deepEqual(Object.keys(status.disruptedPods!), ["a"]);
    assert.equal(fresh.wakeAt, NOW + 1000);
    const late = planned(evicted(120_000), "a b c", [SET]);
    assert.equal(statusOf(late).currentHealthy, 3);
    assert.equal(statusOf(late).disruptedPods, undefined);
    assert.equal(late.wakeAt, undefined);
    const [event] = late.events!;
    assert.deepEqual(
      [event?.reason, event?.regarding?.metadata?.name, event?.message],
      ["NotDeleted", "a", "Pod was expected by PDB d/b to be deleted but it wasn't"],
    );
  });

  it("one that has begun to go needs no word any more", () => {
    const of = budget({ minAvailable: 1 }, { disruptedPods: { a: at(0) } });
    const next = planned(of, "a- b c", [SET]);
    assert.equal(statusOf(next).disruptedPods, undefined);
    assert.equal(next.wakeAt, undefined);
  });

  it("what cannot be counted allows nothing, says why, and keeps what was observed before", () => {
    const of = budget(
      { maxUnavailable: 1 },
      {
        observedGeneration: 1,
        disruptionsAllowed: 3,
        currentHealthy: 4,
        desiredHealthy: 1,
        expectedPods: 4,
      },
    );
    const { status, events } = planned(of, "a b", [JOB]);
    const { observedGeneration, disruptionsAllowed, currentHealthy, conditions } =
      status as Counted;
    assert.deepEqual([observedGeneration, disruptionsAllowed, currentHealthy], [1, 0, 4]);
    const { reason, message } = conditions![0]!;
    assert.deepEqual([reason, message], ["SyncFailed", JOB.kind === "uncounted" && JOB.why]);
    assert.deepEqual(
      events!.map((event) => event.message),
      [
        "Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource",
      ],
    );
    assert.deepEqual(planned({ ...of, status: status as never }, "a b", [JOB]).events, []);
  });

  it("tells once of no Pods, and of Pods that nobody manages", () => {
    const empty = planned(budget({ minAvailable: 1 }), "", []);
    assert.equal(empty.events![0]!.message, "No matching pods found");
    const again = { ...budget({ minAvailable: 1 }), status: empty.status as never };
    assert.deepEqual(planned(again, "", []).events, []);
    const [event] = planned(budget({ maxUnavailable: 1 }), "a", [NONE]).events!;
    assert.equal(event?.reason, "UnmanagedPods");
    assert.match(
      event.message,
      /\(selector: &LabelSelector\{MatchLabels:map\[string\]string\{app: x,\},MatchExpressions:\[\]LabelSelectorRequirement\{\},\}\)/,
    );
    assert.deepEqual(planned(budget({ minAvailable: 1 }), "a", [NONE]).events, []);
  });
});

const named = (name: string, replicas: number, owner?: readonly [Kind, KubeObject]): KubeObject =>
  ({
    metadata: {
      name,
      namespace: "d",
      uid: `${name}-uid`,
      ...(owner && { ownerReferences: [controllerReference(...owner)] }),
    },
    spec: { replicas },
  }) as KubeObject;

const ownedBy = (kind: Kind, object: KubeObject): Pod => {
  const { metadata, ...rest } = pod("a");
  return {
    ...rest,
    metadata: { ...metadata, ownerReferences: [controllerReference(kind, object)] },
  };
};

describe("owners of Pods", () => {
  const web = named("web", 5);
  const set = named("web-1", 3, [Deployment, web]);
  const cache = new StaticCache()
    .put(Deployment, web as Deployment)
    .put(ReplicaSet, set as ReplicaSet)
    .put(ReplicaSet, named("alone", 2) as ReplicaSet)
    .put(ReplicaSet, named("left", 7, [Deployment, named("gone", 1)]) as ReplicaSet)
    .put(StatefulSet, named("db", 3) as StatefulSet)
    .put(ReplicationController, named("old", 4) as ReplicationController);
  const scaled = (name: string, replicas: number): Owner => {
    return { kind: "scaled", uid: `${name}-uid`, replicas };
  };
  const uncounted = (why: string): Owner => ({ kind: "uncounted", why });
  const beta = { ...ReplicaSet, group: "extensions", version: "v1beta1" };
  const thing = { ...ReplicaSet, group: "x.io", kind: "Thing" };
  const other = { metadata: { ...web.metadata!, name: "alone" } };
  const lost = uncounted('found no controllers for pod "a"');
  const rows: readonly (readonly [string, Pod, Owner])[] = [
    ["nobody", pod("a"), { kind: "none" }],
    ["a ReplicaSet", ownedBy(ReplicaSet, named("alone", 2)), scaled("alone", 2)],
    ["a ReplicaSet of a Deployment", ownedBy(ReplicaSet, set), scaled("web", 5)],
    ["one whose Deployment is gone", ownedBy(ReplicaSet, named("left", 7)), scaled("left", 7)],
    ["a controller", ownedBy(ReplicationController, named("old", 4)), scaled("old", 4)],
    ["a StatefulSet", ownedBy(StatefulSet, named("db", 3)), scaled("db", 3)],
    [
      "a Job, which has no scale",
      ownedBy(Job, named("once", 1)),
      uncounted("jobs.batch does not implement the scale subresource"),
    ],
    ["a ReplicaSet of the first version", ownedBy(beta, named("alone", 2)), scaled("alone", 2)],
    ["one that is gone", ownedBy(ReplicaSet, named("no", 1)), lost],
    ["another of its name", ownedBy(ReplicaSet, other), lost],
    [
      "a kind without a scale",
      ownedBy(Pod, pod("p")),
      uncounted("pods does not implement the scale subresource"),
    ],
    [
      "a kind that is not served",
      ownedBy(thing, web),
      uncounted('no matches for kind "Thing" in version "x.io/v1"'),
    ],
  ];
  for (const [what, of, expected] of rows)
    it(what, () => assert.deepEqual(ownerOf(cache, of), expected));
});

describe("disruptionLoop", () => {
  const cache = new StaticCache().put(PodDisruptionBudget, budget({ minAvailable: 1 }));
  const loop = disruptionLoop(cache as unknown as Cache);
  const keys = (kind: Kind, old: KubeObject | undefined, object: KubeObject | undefined) =>
    loop.keysOf({ kind, key: keyOf(object ?? old!), old, object } as never);

  it("looks again when a change of a Pod can change a count, and only then", () => {
    const { metadata, ...rest } = pod("a");
    const foreign: Pod = { ...rest, metadata: { ...metadata, labels: { app: "y" } } };
    assert.deepEqual(keys(Pod, undefined, pod("a")), ["d/b"]);
    assert.deepEqual(keys(Pod, pod("a"), undefined), ["d/b"]);
    assert.deepEqual(keys(Pod, pod("a!"), pod("a")), ["d/b"]);
    assert.deepEqual(keys(Pod, pod("a"), pod("a-")), ["d/b"]);
    assert.deepEqual(keys(Pod, pod("a"), foreign), ["d/b"]);
    assert.deepEqual(keys(Pod, undefined, foreign), []);
    const same: Pod = { ...pod("a"), spec: { containers: [], nodeName: "n" } };
    assert.deepEqual(keys(Pod, pod("a"), same), []);
  });

  it("looks again when an owner is scaled", () => {
    assert.deepEqual(keys(Deployment, named("w", 1), named("w", 2)), ["d/b"]);
    assert.deepEqual(keys(Deployment, named("w", 2), named("w", 2)), []);
  });
});

describe("stale DisruptionTarget", () => {
  const target = (since: number, parts: object = {}, name = "a"): Pod => ({
    ...pod(name),
    status: {
      phase: "Running",
      conditions: [
        { type: "DisruptionTarget", status: "True", lastTransitionTime: at(-since), ...parts },
      ] as never,
    },
  });
  const rows: readonly (readonly [string, Pod, string])[] = [
    ["none", pod("a"), ""],
    ["a fresh one", target(119_000), "wake +1000"],
    ["a stale one", target(120_000), "patch"],
    ["a stale one of a kubelet, which takes its time", target(120_000, { reason: "TerminationByKubelet" }), ""], // prettier-ignore
    ["one that is taken back", target(120_000, { status: "False" }), ""],
    ["one of a Pod that goes", target(120_000, {}, "a-"), ""],
    ["one of a Pod that ended", { ...target(120_000), status: { ...target(120_000).status, phase: "Failed" } }, ""], // prettier-ignore
  ];
  for (const [what, of, expected] of rows)
    it(`${what} → "${expected}"`, () => {
      const { writes = [], wakeAt } = planStale(of, NOW);
      const words = writes.map(({ verb }) => verb).join(" ");
      assert.equal(wakeAt === undefined ? words : `wake +${wakeAt - NOW}`, expected);
      const cache = new StaticCache().put(Pod, of);
      const change = { kind: Pod, key: keyOf(of), old: undefined, object: of };
      const keys = staleTargetLoop(cache as unknown as Cache).keysOf(change as never);
      assert.equal(keys.length > 0, expected !== "");
    });
});
