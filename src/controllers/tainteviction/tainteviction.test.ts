import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTime } from "../../base/clock.ts";
import type { Pod } from "../../api/core/pod.ts";
import { Node as NodeKind, type Node } from "../../api/core/node.ts";
import { Pod as PodKind } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { plan, taintEvictionLoop, type ActiveTaint } from "./tainteviction.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
const MINUTE = 60_000;

type Tolerations = NonNullable<NonNullable<Pod["spec"]>["tolerations"]>;

function pod(tolerations: Tolerations, boundAt = NOW - 60 * MINUTE): Pod {
  return {
    metadata: { name: "p", namespace: "d", uid: "p" },
    spec: { containers: [], nodeName: "n", tolerations },
    status: {
      conditions: [
        {
          type: "PodScheduled",
          status: "True",
          lastTransitionTime: new Date(boundAt).toISOString(),
        },
      ],
    },
  };
}

const taint = (key: string, minutesAgo: number, value?: string): ActiveTaint => ({
  taint: { key, effect: "NoExecute", ...(value && { value }) },
  since: NOW - minutesAgo * MINUTE,
});

const for5 = { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };

//     what                          tolerations, taints, when
const ROWS: readonly (readonly [string, Tolerations, readonly ActiveTaint[], string])[] = [
  ["not tolerated", [], [taint("a", 0)], "now"],
  ["tolerated for ever", [{ key: "a", operator: "Exists" }], [taint("a", 99)], "never"],
  ["all tolerated for ever", [{ operator: "Exists" }], [taint("a", 99), taint("b", 99)], "never"],
  ["tolerated for five minutes, one passed", [for5], [taint("a", 1)], "+4"],
  ["tolerated for five minutes, five passed", [for5], [taint("a", 5)], "now"],
  ["one of two not tolerated", [for5], [taint("a", 0), taint("b", 0)], "now"],
  [
    "the value must fit",
    [{ key: "a", operator: "Equal", value: "x" }],
    [taint("a", 0, "y")],
    "now",
  ],
  ["the value fits", [{ key: "a", value: "x" }], [taint("a", 0, "x")], "never"],
  [
    "another effect",
    [{ key: "a", operator: "Exists", effect: "NoSchedule" }],
    [taint("a", 0)],
    "now",
  ],
  ["the shortest of two counts", [for5, { ...for5, tolerationSeconds: 60 }], [taint("a", 0)], "+1"],
];

describe("taint eviction plan", () => {
  for (const [what, tolerations, taints, expected] of ROWS) {
    it(`${what} → ${expected}`, () => {
      const { writes, wakeAt } = plan(pod(tolerations), taints, NOW);
      const when = writes ? "now" : wakeAt === undefined ? "never" : `+${(wakeAt - NOW) / MINUTE}`;
      assert.equal(when, expected);
    });
  }

  it("a Pod that came to a tainted node has its whole time there", () => {
    assert.equal(plan(pod([for5], NOW), [taint("a", 60)], NOW).wakeAt, NOW + 5 * MINUTE);
  });

  it("says why, then deletes with the Pod's own grace", () => {
    const { writes, events } = plan(pod([]), [taint("a", 0)], NOW);
    assert.deepEqual(
      writes?.map(({ verb }) => verb),
      ["patch", "delete"],
    );
    const [told] = writes!;
    const { status } = (told as { patch: { status: { conditions: object[] } } }).patch;
    assert.deepEqual(status.conditions, [
      {
        type: "DisruptionTarget",
        status: "True",
        reason: "DeletionByTaintManager",
        message: "Taint manager: deleting due to NoExecute taint",
        lastTransitionTime: formatTime(NOW),
      },
    ]);
    assert.deepEqual(
      events?.map(({ reason, message }) => [reason, message]),
      [["TaintManagerEviction", "Marking for deletion Pod d/p"]],
    );
  });
});

describe("taintEvictionLoop", () => {
  const node = (...keys: readonly string[]): Node => ({
    metadata: { name: "n" },
    spec: { taints: keys.map((key) => ({ key, effect: "NoExecute" })) },
  });

  it("says so when a Pod whose end was set may stay after all", () => {
    const cache = new StaticCache().put(PodKind, pod([for5], NOW)).put(NodeKind, node("a"));
    const loop = taintEvictionLoop(cache as unknown as Cache);
    const toldOf = (): unknown[] => {
      const { plan } = loop.decide("d/p", NOW)!;
      return [plan.wakeAt, ...(plan.events ?? []).map(({ message }) => message)];
    };
    assert.deepEqual(toldOf(), [NOW + 5 * MINUTE]);
    const change = { kind: NodeKind, key: { namespace: "", name: "n" }, old: node("a") };
    cache.put(NodeKind, node());
    assert.deepEqual(loop.keysOf({ ...change, object: node() } as never), ["d/p"]);
    assert.deepEqual(toldOf(), [undefined, "Cancelling deletion of Pod d/p"]);
    assert.deepEqual(toldOf(), [undefined]);
  });

  it("and when it tolerates the taint for ever by now, but not when it goes", () => {
    const cache = new StaticCache().put(PodKind, pod([for5], NOW)).put(NodeKind, node("a"));
    const loop = taintEvictionLoop(cache as unknown as Cache);
    loop.decide("d/p", NOW);
    cache.put(PodKind, pod([{ key: "a", operator: "Exists" }]));
    assert.equal(loop.decide("d/p", NOW)?.plan.events?.length, 1);
    cache.put(PodKind, pod([for5], NOW));
    loop.decide("d/p", NOW);
    const [event] = loop.decide("d/p", NOW + 5 * MINUTE)!.plan.events!;
    assert.match(event!.message, /^Marking for deletion/);
  });
});
