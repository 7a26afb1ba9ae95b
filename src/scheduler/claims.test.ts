import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1PersistentVolumeClaim, V1Pod } from "../gen/types.ts";
import { Decider } from "./decider.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

const POD: V1Pod = {
  metadata: { name: "p", namespace: "default", uid: "p" },
  spec: {
    containers: [{ name: "c", image: "i" }],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  },
};

function claim(spec: object, change: object = {}): V1PersistentVolumeClaim {
  return { metadata: { name: "data", namespace: "default" }, spec, ...change };
}

/** The node's name or the message, of the first Pod of its class and of the next. */
function outcome(set: (cache: SchedulerCache) => void, pod: V1Pod = POD): string {
  const cache = new SchedulerCache();
  cache.setNode({ metadata: { name: "a" }, status: { allocatable: { cpu: "1", pods: "9" } } });
  set(cache);
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const decider = new Decider(cache, classes, new SeededRandom(1));
  const [first, second] = [decider.decide(pod), decider.decide(pod)].map((decision) =>
    decision.kind === "bind" ? decision.node.name : decision.message,
  );
  assert.equal(second, first);
  return first!;
}

const refused = (why: string): string =>
  `0/1 nodes are available: ${why}. no new claims to deallocate, preemption: ` +
  "0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

describe("a Pod with a claim", () => {
  for (const [what, set, expected] of [
    ["that is not there", () => {}, refused('persistentvolumeclaim "data" not found')],
    [
      "that has no volume",
      (cache) => cache.claims.set("default", "data", claim({})),
      refused("pod has unbound immediate PersistentVolumeClaims"),
    ],
    [
      "that is about to go",
      (cache) =>
        cache.claims.set(
          "default",
          "data",
          claim(
            { volumeName: "v" },
            { metadata: { name: "data", deletionTimestamp: "2026-01-01T00:00:00Z" } },
          ),
        ),
      refused('persistentvolumeclaim "data" is being deleted'),
    ],
    [
      "whose volume is gone",
      (cache) =>
        cache.claims.set(
          "default",
          "data",
          claim({ volumeName: "v" }, { status: { phase: "Lost" } }),
        ),
      refused('persistentvolumeclaim "data" bound to non-existent persistentvolume "v"'),
    ],
    [
      "that has a volume",
      (cache) => cache.claims.set("default", "data", claim({ volumeName: "v" })),
      "a",
    ],
    [
      "that gets its volume with its first Pod",
      (cache) => {
        cache.claims.setClass("late", {
          provisioner: "p",
          volumeBindingMode: "WaitForFirstConsumer",
        });
        cache.claims.set("default", "data", claim({ storageClassName: "late" }));
      },
      "a",
    ],
  ] as readonly (readonly [string, (cache: SchedulerCache) => void, string])[])
    it(what, () => assert.equal(outcome(set), expected));

  it("that is made for it is known by both their names", () => {
    const volumes = [{ name: "scratch", ephemeral: {} }];
    const pod = { ...POD, spec: { ...POD.spec!, volumes } };
    assert.match(
      outcome(() => {}, pod),
      /persistentvolumeclaim "p-scratch" not found/,
    );
  });
});
