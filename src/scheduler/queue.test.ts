import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import { affinityTermsOf } from "./affinity-terms.ts";
import { demandOf } from "./demand.ts";
import type { ClusterChange } from "./framework.ts";
import { LabelInterest } from "./label-interest.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { backoffMs, SchedulingQueue } from "./queue.ts";
import { Workloads } from "./workloads.ts";

/** Pods of one disk are one class. */
const pod = (name: string, priority = 0, disk = "ssd"): V1Pod => ({
  metadata: { name, uid: name },
  spec: { containers: [], priority, nodeSelector: { disk } },
});
const FREED = { kind: "pod-freed", demand: demandOf(pod("gone")), pod: pod("gone") } as const;
const SSD_NODE: V1Node = {
  metadata: { name: "n", labels: { disk: "ssd" } },
  status: { allocatable: { cpu: "1" } },
};
const NEW_NODE = { kind: "node", node: SSD_NODE, old: undefined, difference: undefined } as const;
const FIT: ReadonlySet<string> = new Set(["NodeResourcesFit"]);
const AFFINITY: ReadonlySet<string> = new Set(["NodeAffinity"]);

interface SetUp {
  readonly clock: VirtualClock;
  readonly queue: SchedulingQueue;
  /** All that can be popped, without an end of their cycles. */
  names(): string;
  /** Pops the Pods with these names, in this order, and refuses them. */
  refuse(names: string, refusedBy?: ReadonlySet<string>): void;
}

function setUp(...pods: readonly V1Pod[]): SetUp {
  const clock = new VirtualClock();
  const queue = new SchedulingQueue(
    clock,
    new PodClasses(DEFAULT_PLUGINS, new LabelInterest(), new Workloads()),
    () => {},
  );
  for (const each of pods) queue.add(each);
  const pop = (): string | undefined => queue.pop()?.metadata?.name;
  return {
    clock,
    queue,
    names() {
      const found: string[] = [];
      for (let next = pop(); next; next = pop()) found.push(next);
      return found.join(" ");
    },
    refuse(names, refusedBy = FIT) {
      for (const name of names.split(" ")) {
        const popped = queue.pop()!;
        assert.equal(popped.metadata?.name, name);
        queue.refuse(popped, refusedBy);
      }
    },
  };
}

describe("SchedulingQueue", () => {
  it("gives the highest priority first, then the oldest", () => {
    const { names } = setUp(pod("a"), pod("b", 10), pod("c"), pod("d", 10));
    assert.equal(names(), "b d a c");
  });

  it("puts a refused Pod behind those that came before its refusal", async () => {
    const { clock, queue, names, refuse } = setUp(pod("a"), pod("b", 0, "hdd"));
    refuse("a");
    queue.wake(FREED);
    await clock.advance(1_000);
    assert.equal(names(), "b a");
  });

  it("holds a refused Pod until a change that can help", async () => {
    const { clock, queue, names, refuse } = setUp(pod("a"));
    refuse("a", AFFINITY);
    queue.wake(FREED);
    await clock.advance(60_000);
    assert.equal(names(), "", "room does not help a selector");
    queue.wake(NEW_NODE);
    assert.equal(names(), "a");
  });

  it("gives a helped Pod at once when there is nothing else to do", () => {
    const { queue, names, refuse } = setUp(pod("a"));
    refuse("a");
    queue.wake(FREED);
    assert.equal(names(), "a");
  });

  it("lets a helped Pod wait out its backoff while there is something else to do", async () => {
    const { clock, queue, refuse } = setUp(pod("a"));
    refuse("a");
    queue.wake(FREED);
    queue.add(pod("b"));
    await clock.advance(999);
    queue.add(pod("c", 0, "hdd"));
    assert.equal(queue.pop()?.metadata?.name, "b");
    await clock.advance(1);
    queue.add(pod("d", 0, "hdd"));
    assert.equal(queue.pop()?.metadata?.name, "a", "refused before c and d came");
  });

  it("lets a Pod whose binding failed wait out its backoff", async () => {
    const { clock, queue, names } = setUp(pod("a"));
    queue.retryLater(queue.pop()!);
    assert.equal(names(), "");
    await clock.advance(999);
    assert.equal(names(), "");
    await clock.advance(1);
    assert.equal(names(), "a");
  });

  it("waits no longer when the wall clock is set back meanwhile", async () => {
    const { clock, queue, names } = setUp(pod("a"));
    queue.retryLater(queue.pop()!);
    clock.set(-3 * 3_600_000);
    await clock.advance(1000);
    assert.equal(names(), "a");
  });

  it("does not lose a change that comes while the Pod is being decided on", () => {
    const { queue, names } = setUp(pod("a"));
    const deciding = queue.pop()!;
    queue.wake(FREED);
    queue.refuse(deciding, FIT);
    assert.equal(names(), "a");
  });

  it("tries again after five minutes, even if nothing changed", async () => {
    const { clock, names, refuse } = setUp(pod("a"));
    refuse("a", new Set(["NodeName"]));
    await clock.advance(5 * 60_000 - 1);
    assert.equal(names(), "");
    await clock.advance(1);
    assert.equal(names(), "a");
  });

  it("tries a Pod again that plugins see differently, and only then", () => {
    const { queue, names, refuse } = setUp(pod("a"));
    refuse("a");
    queue.add({ ...pod("a"), status: { message: "seen" } });
    assert.equal(names(), "");
    queue.add(pod("a", 0, "hdd"));
    assert.equal(names(), "a");
  });

  it("forgets a Pod that is gone", async () => {
    const { clock, queue, names } = setUp(pod("a"), pod("b"));
    queue.remove(pod("a"));
    assert.equal(names(), "b");
    queue.remove(pod("b"));
    await clock.advance(10 * 60_000);
    assert.equal(names(), "");
    assert.equal(queue.size, 0);
  });
});

describe("SchedulingQueue, Pods of one class", () => {
  it("one tries for all that wait, and as long as they find nodes the next follows", () => {
    const { queue, names, refuse } = setUp(pod("a"), pod("b"), pod("c"), pod("d"));
    refuse("a b c d");
    queue.wake(FREED);
    queue.placed(queue.pop()!);
    queue.placed(queue.pop()!);
    refuse("c");
    assert.equal(names(), "");
    queue.wake(FREED);
    assert.equal(names(), "d", "c had its turn");
  });

  it("whoever tries and goes away sends the next", () => {
    const { queue, names, refuse } = setUp(pod("a"), pod("b"), pod("c"));
    refuse("a b c");
    queue.wake(FREED);
    queue.remove(pod("a"));
    assert.equal(names(), "b");
    queue.add(pod("b", 0, "hdd"));
    assert.equal(names(), "c");
  });

  it("what one of them is refused for now, all are", () => {
    const { queue, names, refuse } = setUp(pod("a"), pod("b"));
    refuse("a b");
    queue.wake(FREED);
    refuse("a", AFFINITY);
    queue.wake(NEW_NODE);
    refuse("b", AFFINITY);
    queue.wake(FREED);
    assert.equal(names(), "");
  });

  it("others try by themselves", () => {
    const { queue, names, refuse } = setUp(pod("a"), pod("b", 0, "hdd"), pod("c", -1));
    refuse("a b c");
    queue.wake(FREED);
    assert.equal(names(), "a b c");
  });
});

describe("SchedulingQueue, rules about other Pods", () => {
  const labelled = (name: string, app: string): V1Pod => ({
    metadata: { name, uid: name, namespace: "default", labels: { app } },
    spec: { containers: [] },
  });
  const term = { topologyKey: "zone", labelSelector: { matchLabels: { app: "db" } } };
  const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
  const near: V1Pod = {
    ...labelled("near", "web"),
    spec: { containers: [], affinity: { podAffinity: { [REQUIRED]: [term] } } },
  };
  const far: V1Pod = {
    ...labelled("far", "web"),
    spec: { containers: [], affinity: { podAntiAffinity: { [REQUIRED]: [term] } } },
  };
  const even: V1Pod = {
    ...labelled("even", "db"),
    spec: {
      containers: [],
      topologySpreadConstraints: [
        { ...term, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", topologyKey: "zone" },
      ],
    },
  };
  const placed = (app: string) => ({ kind: "pod-placed", pod: labelled("x", app) }) as const;
  const freed = (app: string) => ({ ...FREED, pod: labelled("x", app) });
  const gone = (labels: Record<string, string>): ClusterChange => ({
    kind: "node-gone",
    node: { ...SSD_NODE, metadata: { name: "n", labels } },
  });

  for (const [what, subject, plugin, change, expected] of [
    ["wants to be near one that is placed", near, "InterPodAffinity", placed("db"), "near"],
    ["does not care for the one that is placed", near, "InterPodAffinity", placed("x"), ""],
    ["avoids the one that goes", far, "InterPodAffinity", freed("db"), "far"],
    ["does not care for the one that goes", far, "InterPodAffinity", freed("x"), ""],
    ["is spread with the one that is placed", even, "PodTopologySpread", placed("db"), "even"],
    ["is spread with others", even, "PodTopologySpread", placed("x"), ""],
    ["is spread over a node that goes", even, "PodTopologySpread", gone({ zone: "a" }), "even"],
    ["is not spread over the node that goes", even, "PodTopologySpread", gone({}), ""],
    ["lacks room alone", near, "NodeResourcesFit", placed("db"), ""],
  ] as readonly (readonly [string, V1Pod, string, ClusterChange, string])[])
    it(`${expected ? "wakes" : "leaves"} a Pod that ${what}`, () => {
      const { queue, names, refuse } = setUp(subject);
      refuse(subject.metadata!.name!, new Set([plugin]));
      queue.wake(change);
      assert.equal(names(), expected);
    });

  it("tries a Pod with a kept node by itself, and sends the next of its group", () => {
    const { queue, names, refuse } = setUp(pod("a"), pod("b"));
    refuse("a b");
    queue.wake(FREED);
    queue.refuse(queue.pop()!, FIT, true);
    assert.equal(names(), "b", "what kept a node for a may keep another for b");
    queue.wake(FREED);
    assert.equal(names(), "a");
  });

  it("tries all again that plugins can tell apart now", () => {
    const interest = new LabelInterest();
    const classes = new PodClasses(DEFAULT_PLUGINS, interest, new Workloads());
    const queue = new SchedulingQueue(new VirtualClock(), classes, () => {});
    queue.add(labelled("a", "web"));
    queue.refuse(queue.pop()!, FIT);
    queue.reclassify();
    assert.equal(queue.pop(), undefined);
    interest.add(affinityTermsOf(near)!);
    queue.reclassify();
    assert.equal(queue.pop()?.metadata?.name, "a");
  });
});

describe("backoffMs", () => {
  it("doubles from one to ten seconds", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 50].map((attempts) => backoffMs(attempts)),
      [1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
    );
  });
});
