import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTime } from "../base/clock.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import type { Pod } from "../api/core/pod.ts";
import { cheapestToLose } from "./cheapest-to-lose.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

interface Wish {
  readonly node?: string;
  readonly phase?: string;
  /** For how many hours; absent: it is not. */
  readonly ready?: number;
  readonly cost?: string;
  readonly restarts?: number;
  /** In hours. */
  readonly age?: number;
}

function pod(
  name: string,
  { node = "n", phase = "Running", ready, cost, restarts = 0, age = 100 }: Wish,
): Pod {
  const hoursAgo = (hours: number): string => formatTime(NOW - hours * HOUR);
  const status = ready === undefined ? "False" : "True";
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: hoursAgo(age),
      ...(cost !== undefined && {
        annotations: { "controller.kubernetes.io/pod-deletion-cost": cost },
      }),
    },
    spec: { containers: [], ...(node && { nodeName: node }) },
    status: {
      phase,
      conditions: [{ type: "Ready", status, lastTransitionTime: hoursAgo(ready ?? 0) }],
      containerStatuses: [
        { name: "c", image: "i", imageID: "", ready: ready !== undefined, restartCount: restarts },
      ],
    },
  };
}

/** The first goes first: each beats the next by one rule. */
const ORDER: readonly Pod[] = [
  pod("without a node", { node: "", phase: "Pending" }),
  pod("pending", { phase: "Pending" }),
  pod("unknown", { phase: "Unknown" }),
  pod("not ready", {}),
  pod("cheap", { ready: 50, cost: "-5" }),
  pod("crowded", { node: "crowded", ready: 50 }),
  pod("just ready", { ready: 1 }),
  pod("ready for a while", { ready: 10 }),
  pod("restarted", { ready: 50, restarts: 3 }),
  pod("young", { ready: 50, age: 60 }),
  pod("old", { ready: 50, age: 1000 }),
  pod("dear", { ready: 50, cost: "5" }),
];

const shuffled = (pods: readonly Pod[], random: SeededRandom): Pod[] => {
  const rest = [...pods];
  return pods.map(() => rest.splice(random.integer(rest.length), 1)[0]!);
};
const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata!.name!);

describe("cheapestToLose", () => {
  const crowd = Array.from({ length: 20 }, (_, i) => pod(`x${i}`, { node: "crowded" }));

  it("goes by its rules, in whatever order Pods are given", () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < 20; round++) {
      const given = shuffled(ORDER, random);
      assert.deepEqual(names(cheapestToLose(given, [...ORDER, ...crowd], NOW)), names(ORDER));
    }
  });

  it("times count by the power of two of their age, uids decide among equals", () => {
    const alike = [pod("c", { ready: 100 }), pod("a", { ready: 90 }), pod("b", { ready: 80 })];
    assert.deepEqual(names(cheapestToLose(alike, alike, NOW)), ["a", "b", "c"]);
  });

  it("a cost that is no 32-bit integer is none", () => {
    for (const cost of ["x", "1.5", "+1", "007", "2147483648", ""]) {
      const pods = [pod("b", { ready: 50, cost }), pod("a", { ready: 50, cost: "-1" })];
      assert.deepEqual(names(cheapestToLose(pods, [], NOW)), ["a", "b"], cost);
      const dearer = [pod("b", { ready: 50, cost }), pod("a", { ready: 50, cost: "1" })];
      assert.deepEqual(names(cheapestToLose(dearer, [], NOW)), ["b", "a"], cost);
    }
  });
});
