import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { DaemonSet, daemonSetResource } from "../../api/apps/daemon-set.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import type { V1DaemonSetSpec, V1PodSpec } from "../../gen/types.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { targetNode } from "./daemon-pod.ts";
import { daemonSetController, plan, type Observed } from "./daemonset.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
const SINCE = "2026-01-01T00:59:50Z";
const LABELS = { app: "x" };

interface Wish extends Omit<Partial<V1DaemonSetSpec>, "template"> {
  readonly pod?: Partial<V1PodSpec>;
}

function set({ pod = {}, ...spec }: Wish = {}, image = "new"): DaemonSet {
  return daemonSetResource.strategy.withDefaults({
    metadata: { name: "agent", namespace: "d", uid: "set", generation: 1 },
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: { containers: [{ name: "c", image }], ...pod },
      },
      ...spec,
    },
  });
}

/** The revision of an image, with a number. */
function revision(object: DaemonSet, number: number): ControllerRevision {
  const seen = { revisions: [], nameHolder: undefined };
  const { writes } = plan({ set: object, pods: [], nodes: [], seen, heldUntil: new Map() }, NOW);
  const [write] = writes!;
  assert.ok(write?.verb === "create" && write.kind === ControllerRevision);
  const made = write.object as ControllerRevision;
  return { ...made, metadata: { ...made.metadata, uid: made.metadata!.name! }, revision: number };
}
const OLD = revision(set({}, "old"), 1);
const hashOf = ({ metadata }: ControllerRevision): string =>
  metadata!.labels!["controller-revision-hash"]!;

/** `n1`, `n2 cordoned`, `n3 ill` (NoExecute), `n4 taken` (NoSchedule), `n5 gpu` (label). */
function nodes(text: string): Node[] {
  const TAINTS: Readonly<Record<string, { key: string; effect: string }>> = {
    cordoned: { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
    unready: { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
    ill: { key: "ill", effect: "NoExecute" },
    taken: { key: "taken", effect: "NoSchedule" },
  };
  return text.split("|").map((part) => {
    const [name = "", state = ""] = part.trim().split(" ");
    const taint = TAINTS[state];
    return node(name, {
      metadata: { name, labels: state === "gpu" ? { gpu: "yes" } : {} },
      spec: taint ? { taints: [taint] } : {},
    });
  });
}

let serial = 0;
/** `n1 Ready`, `n1 Pending old`, `n2 Failed`, `n3 Ready ending`, `n1 Ready (free)`, `n9 Pending unbound`. */
function pod(text: string, hash: string): Pod {
  const [name = "", state = "", ...words] = text.trim().split(" ");
  const has = (word: string): boolean => words.includes(word);
  const uid = `${name}-${state}${words.join("")}-${++serial}`;
  const reference = { apiVersion: "apps/v1", kind: "DaemonSet", name: "agent", uid: "set" };
  const requiredDuringSchedulingIgnoredDuringExecution = {
    nodeSelectorTerms: [
      { matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] },
    ],
  };
  return {
    metadata: {
      name: uid,
      namespace: "d",
      uid,
      creationTimestamp: `2026-01-01T00:00:${String(serial % 60).padStart(2, "0")}Z`,
      labels: { ...LABELS, "controller-revision-hash": has("old") ? hashOf(OLD) : hash },
      ...(has("ending") && { deletionTimestamp: SINCE }),
      ...(!has("(free)") && { ownerReferences: [{ ...reference, controller: true }] }),
    },
    spec: has("unbound")
      ? {
          containers: [],
          affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } },
        }
      : { containers: [], nodeName: name },
    status: {
      phase: state === "Ready" ? "Running" : state,
      conditions: [
        { type: "Ready", status: state === "Ready" ? "True" : "False", lastTransitionTime: SINCE },
      ],
    },
  };
}

function world(places: string, text: string, wish: Wish = {}, extra: Partial<Observed> = {}) {
  serial = 0;
  const object = set(wish);
  const fresh = revision(object, 2);
  return {
    set: object,
    pods: text ? text.split("|").map((part) => pod(part, hashOf(fresh))) : [],
    nodes: nodes(places),
    seen: { revisions: [OLD, fresh], nameHolder: fresh },
    heldUntil: new Map<string, number>(),
    ...extra,
  };
}

/** `n1` gets a Pod: `+n1`. One of n1 goes: `-n1`; an old one `-n1 old`. */
function summary(writes: readonly PlannedWrite[] = [], given: readonly Pod[] = []): string {
  return writes
    .flatMap((write) => {
      if (write.kind !== Pod) return [`${write.verb} revision`];
      if (write.verb === "create") return [`+${targetNode(write.object as Pod)}`];
      if (write.verb === "patch") return ["adopt"];
      const gone = given.find((one) => "key" in write && one.metadata!.name === write.key.name)!;
      const isOld = gone.metadata!.labels!["controller-revision-hash"] === hashOf(OLD);
      return [`-${targetNode(gone)}${isOld ? " old" : ""}`];
    })
    .join(", ");
}

function row(places: string, before: string, wish: Wish, expected: string): void {
  it(`${places}: "${before}" ${JSON.stringify(wish)} → "${expected}"`, () => {
    const observed = world(places, before, wish);
    assert.equal(summary(plan(observed, NOW).writes, observed.pods), expected);
  });
}

const GPU = { pod: { nodeSelector: { gpu: "yes" } } };
const onGpu: Wish = {
  pod: {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "gpu", operator: "Exists" }] }],
        },
      },
    },
  },
};
const tolerant: Wish = { pod: { tolerations: [{ key: "taken", operator: "Exists" }] } };

describe("daemonset plan: which nodes", () => {
  row("n1 | n2", "", {}, "+n1, +n2");
  row("n1 | n2", "n1 Ready", {}, "+n2");
  row("n1 | n2", "n1 Ready | n2 Pending unbound", {}, "");
  row("n1 | n2 gpu", "", GPU, "+n2");
  row("n1 | n2 gpu", "", onGpu, "+n2");
  row("n1 | n2 gpu", "n1 Ready | n2 Ready", GPU, "-n1");
  row("n1 | n2", "", { pod: { nodeName: "n2" } }, "+n2");
  row("n1 cordoned | n2 unready", "", {}, "+n1, +n2"); // daemons run where nothing else does
  row("n1 | n2 taken", "", {}, "+n1");
  row("n1 | n2 taken", "", tolerant, "+n1, +n2");
  row("n1 | n2 taken", "n1 Ready | n2 Ready", {}, ""); // what runs may stay
  row("n1 | n2 ill", "n1 Ready | n2 Ready", {}, "-n2");
  row("n1", "n1 Ready | n9 Pending unbound", {}, "-n9"); // its node is gone, and nobody else would
  row("n1", "n1 Ready | n9 Ready", {}, "");
  row("n1", "n1 Ready | n1 Ready", {}, "-n1");
  row("n1", "n1 Ready ending", {}, ""); // not before it is gone
  row("n1", "n1 Failed ending", {}, "+n1"); // it has ended; only its finalizers are left
  row("n1 | n2", "n1 Ready (free) | n2 Ready", {}, "adopt");

  it("of two Pods on a node the one that came later goes", () => {
    const observed = world("n1", "n1 Ready | n1 Running");
    const [write] = plan(observed, NOW).writes!;
    assert.equal("key" in write! && write.key.name, observed.pods[1]!.metadata!.name);
  });

  it("one step is bounded", () => {
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`).join("|");
    assert.equal(plan(world(names, ""), NOW).writes!.length, 250);
  });

  it("a set that is being deleted does nothing", () => {
    const observed = world("n1", "");
    const metadata = { ...observed.set.metadata, deletionTimestamp: SINCE };
    assert.deepEqual(plan({ ...observed, set: { ...observed.set, metadata } }, NOW), {});
  });
});

const rolling = (rollingUpdate: object): Wish => ({ updateStrategy: { rollingUpdate } });
const SURGE = rolling({ maxUnavailable: 0, maxSurge: 1 });

describe("daemonset plan: updates in place", () => {
  const THREE = "n1 Ready old | n2 Ready old | n3 Ready old";
  row("n1 | n2 | n3", THREE, {}, "-n1 old");
  row("n1 | n2 | n3", "n1 Ready ending old | n2 Ready old | n3 Ready old", {}, "");
  row("n1 | n2 | n3", "n1 Pending | n2 Ready old | n3 Ready old", {}, "");
  row("n1 | n2 | n3", "n1 Ready | n2 Ready old | n3 Ready old", {}, "-n2 old");
  row(
    "n1 | n2 | n3",
    "n1 Ready | n2 Ready old | n3 Ready old",
    { minReadySeconds: 30 },
    "-n2 old, -n3 old",
  );
  row("n1 | n2 | n3", "n1 Ready old | n2 Running old | n3 Running old", {}, "-n2 old, -n3 old");
  row("n1 | n2 | n3", THREE, rolling({ maxUnavailable: 2 }), "-n1 old, -n2 old");
  row("n1 | n2 | n3", THREE, rolling({ maxUnavailable: "34%" }), "-n1 old, -n2 old"); // rounded up
  row("n1 | n2 | n3", THREE, { updateStrategy: { type: "OnDelete" } }, "");
  row("n1 | n2 | n3", "n1 Ready old | n2 Ready old", {}, "+n3"); // what is missing comes first
});

describe("daemonset plan: updates with surplus Pods", () => {
  const TWO = "n1 Ready old | n2 Ready old";
  row("n1 | n2", TWO, SURGE, "+n1");
  row("n1 | n2", "n1 Ready old | n1 Pending | n2 Ready old", SURGE, "");
  row("n1 | n2", "n1 Ready old | n1 Ready | n2 Ready old", SURGE, "-n1 old");
  row("n1 | n2", "n1 Running old | n1 Pending | n2 Ready old", SURGE, "-n1 old");
  row("n1 | n2", "n1 Running old | n2 Ready old", SURGE, "+n1, +n2"); // a broken one costs nothing
  row("n1 | n2", TWO, rolling({ maxUnavailable: 0, maxSurge: "100%" }), "+n1, +n2");
  row("n1 | n2", "n1 Ready ending old | n2 Ready", SURGE, "+n1"); // it need not wait for the end
  row("n1 | n2", "n1 Ready | n1 Ready | n1 Ready old | n2 Ready", SURGE, "-n1, -n1 old");
  row("n1 | n2 taken", "n1 Ready | n2 Ready old", SURGE, "-n2 old");
  row("n1 | n2 taken", "n1 Running | n2 Ready old", SURGE, ""); // nobody has taken over yet
  row("n1 | n2 taken", "n1 Running | n2 Running old", SURGE, "-n2 old");
});

describe("daemonset plan: Pods that ended", () => {
  row("n1", "n1 Failed", {}, "-n1");
  row("n1", "n1 Succeeded", {}, "-n1");

  it("are told of", () => {
    const { events } = plan(world("n1 | n2", "n1 Failed | n2 Succeeded"), NOW);
    assert.deepEqual(
      events!.slice(0, 2).map(({ type, reason, message }) => [type, reason, message]),
      [
        [
          "Warning",
          "FailedDaemonPod",
          "Found failed daemon pod d/n1-Failed-1 on node n1, will try to kill it",
        ],
        [
          "Normal",
          "SucceededDaemonPod",
          "Found succeeded daemon pod d/n2-Succeeded-2 on node n2, will try to delete it",
        ],
      ],
    );
  });

  it("again and again wait longer and longer", () => {
    const clock = new VirtualClock(NOW);
    const controller = daemonSetController(clock);
    const observed = world("n1", "n1 Failed");
    const [failed] = observed.pods as [Pod];
    const cache = new StaticCache();
    cache.put(DaemonSet, observed.set);
    cache.put(Pod, failed);
    const key = { namespace: "d", name: "agent" };
    const wakeAt = (): number | undefined => {
      const { set: object, pods, nodes: all, seen, heldUntil } = controller.observe(cache, key)!;
      assert.equal(all.length, 0);
      return plan({ set: object, pods, nodes: observed.nodes, seen, heldUntil }, clock.now())
        .wakeAt;
    };
    const fail = (): void => {
      const change = { kind: Pod, key: { ...key, name: failed.metadata!.name! } };
      controller.triggers[0]!.keys({ ...change, old: failed, object: undefined }, cache);
    };
    assert.equal(wakeAt(), undefined);
    fail();
    assert.equal(wakeAt(), clock.now() + 1000);
    fail();
    assert.equal(wakeAt(), clock.now() + 2000);
    for (let times = 0; times < 20; times++) fail();
    assert.equal(wakeAt(), clock.now() + 15 * 60_000);
  });
});

describe("daemonset plan: a Pod", () => {
  it("is meant for one node, tolerates what nodes suffer from, and says what it was made from", () => {
    const host: Wish = {
      pod: { hostNetwork: true, tolerations: [{ operator: "Exists", key: "a" }] },
    };
    const observed = world("n1", "", host);
    const annotations = { "deprecated.daemonset.template.generation": "3" };
    const metadata = { ...observed.set.metadata, annotations };
    const { writes } = plan({ ...observed, set: { ...observed.set, metadata } }, NOW);
    const made = writes!.find(({ verb, kind }) => verb === "create" && kind === Pod)!;
    const { metadata: meta, spec } = (made as { object: Pod }).object;
    assert.equal(meta!.generateName, "agent-");
    assert.equal(meta!.labels!["pod-template-generation"], "3");
    assert.deepEqual(spec!.affinity!.nodeAffinity, {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] },
        ],
      },
    });
    assert.deepEqual(
      spec!.tolerations!.map(({ key, effect }) => `${key?.split("/").at(-1)} ${effect ?? ""}`),
      [
        "a ",
        "not-ready NoExecute",
        "unreachable NoExecute",
        "disk-pressure NoSchedule",
        "memory-pressure NoSchedule",
        "pid-pressure NoSchedule",
        "unschedulable NoSchedule",
        "network-unavailable NoSchedule",
      ],
    );
  });
});

type Counts = NonNullable<DaemonSet["status"]>;

describe("daemonset plan: status", () => {
  it("counts nodes", () => {
    const text = "n1 Ready | n2 Running old | n4 Ready";
    const { status, wakeAt } = plan(
      world("n1 | n2 | n3 | n4 taken", text, { minReadySeconds: 5 }),
      NOW,
    );
    assert.deepEqual(status, {
      currentNumberScheduled: 2,
      numberMisscheduled: 1,
      desiredNumberScheduled: 3,
      numberReady: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
      numberUnavailable: 2,
    });
    assert.equal(wakeAt, undefined);
  });

  //    nodes, Pods, wish, counts: current mis- desired ready updated available unavailable
  for (const [places, text, wish, expected] of [
    ["n1 | n2", "n1 Ready | n2 Ready", {}, "2 0 2 2 2 2 -"],
    ["n1 | n2", "n1 Ready | n2 Ready", { minReadySeconds: 30 }, "2 0 2 2 2 - 2"],
    ["n1 | n2", "n1 Pending old", {}, "1 0 2 0 - - 2"],
    ["n1 taken | n2 taken", "n1 Ready", {}, "0 1 0 0 - - -"],
  ] as const)
    it(`${places}: "${text}" ${JSON.stringify(wish)} counts ${expected}`, () => {
      const given = world(places, text, wish);
      const conditions = [{ type: "Mine", status: "True" }];
      const before = { ...given.set, status: { collisionCount: 3, conditions } };
      const status = plan({ ...given, set: before as never }, NOW).status as Counts;
      const counts = [
        status.currentNumberScheduled,
        status.numberMisscheduled,
        status.desiredNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled,
        status.numberAvailable,
        status.numberUnavailable,
      ];
      assert.equal(counts.map((count) => count ?? "-").join(" "), expected);
      assert.deepEqual([status.collisionCount, status.conditions], [3, conditions]);
    });

  it("raises the collision count when another revision has the name", () => {
    const observed = world("n1", "");
    const nameHolder = { ...observed.seen.nameHolder!, data: {} };
    const seen = { revisions: [OLD], nameHolder };
    const { writes, status } = plan({ ...observed, seen }, NOW);
    assert.equal(summary(writes), "");
    assert.equal((status as { collisionCount: number }).collisionCount, 1);
  });

  it("two revisions of one template become one, and their Pods stay", () => {
    const observed = world("n1 | n2", "n1 Ready | n2 Ready old");
    const [old, fresh] = observed.seen.revisions as [ControllerRevision, ControllerRevision];
    const twin = { ...old, data: fresh.data };
    const { writes } = plan(
      { ...observed, seen: { ...observed.seen, revisions: [twin, fresh] } },
      NOW,
    );
    assert.deepEqual(
      writes!.map((write) => [write.verb, write.kind.kind, "key" in write && write.key.name]),
      [
        ["patch", "Pod", observed.pods[1]!.metadata!.name],
        ["delete", "ControllerRevision", twin.metadata!.name],
      ],
    );
    assert.deepEqual((writes![0] as { patch: object }).patch, {
      metadata: { labels: { "controller-revision-hash": hashOf(fresh) } },
    });
  });

  it("old revisions go beyond the limit, unless a Pod has them", () => {
    const observed = world("n1 | n2", "n1 Ready | n2 Ready old", { revisionHistoryLimit: 0 });
    const other = revision(set({}, "other"), 0);
    const seen = { ...observed.seen, revisions: [other, ...observed.seen.revisions] };
    const { writes } = plan({ ...observed, seen }, NOW);
    const gone = writes!.flatMap((write) =>
      write.kind === ControllerRevision && "key" in write ? [write.key.name] : [],
    );
    assert.deepEqual(gone, [other.metadata!.name]);
  });
});

describe("daemonset triggers", () => {
  it("a node concerns the sets for which it has become another one", () => {
    const controller = daemonSetController(new VirtualClock(NOW));
    const cache = new StaticCache();
    cache.put(DaemonSet, set(GPU));
    const trigger = controller.triggers.find(({ kind }) => kind === Node)!;
    const [plain, gpu] = nodes("n1 | n1 gpu") as [Node, Node];
    const count = (old: Node | undefined, object: Node | undefined): number =>
      trigger.keys({ kind: Node, key: { namespace: "", name: "n1" }, old, object }, cache).length;
    assert.equal(count(plain, gpu), 1);
    assert.equal(count(gpu, undefined), 1);
    const beating = { ...gpu, status: { conditions: [] }, metadata: { ...gpu.metadata } };
    assert.equal(count(gpu, beating), 0);
  });
});
