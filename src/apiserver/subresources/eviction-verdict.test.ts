import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import type { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import type { V1PodDisruptionBudgetStatus, V1PodStatus } from "../../gen/types.ts";
import { judgeEviction, spend } from "./eviction-verdict.ts";

const NOW = Date.UTC(2026, 0, 1);

function budget(
  status: V1PodDisruptionBudgetStatus,
  policy?: string,
  generation = 1,
): PodDisruptionBudget {
  return {
    metadata: { name: "b", generation },
    spec: policy === undefined ? {} : { unhealthyPodEvictionPolicy: policy },
    status: { observedGeneration: 1, ...status },
  };
}

const ready = (status: string, phase = "Running"): V1PodStatus => ({
  phase,
  conditions: [{ type: "Ready", status }],
});
const MET = budget({ currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0 });
const SHORT = budget({ currentHealthy: 1, desiredHealthy: 2 });
const ALWAYS = budget({ currentHealthy: 1, desiredHealthy: 2 }, "AlwaysAllow");
const BLANK = budget({ currentHealthy: 0, desiredHealthy: 0 });

describe("judgeEviction", () => {
  const rows: readonly (readonly [string, V1PodStatus, readonly PodDisruptionBudget[], string])[] =
    [
      ["no budget", ready("True"), [], "free"],
      ["ended", ready("False", "Succeeded"), [SHORT, MET], "free"],
      ["failed", ready("False", "Failed"), [SHORT], "free"],
      ["not yet running", ready("False", "Pending"), [SHORT], "free, as it is"],
      ["two budgets", ready("True"), [SHORT, MET], "refused"],
      ["ready", ready("True"), [MET], "spends"],
      ["ready, whatever the policy", ready("True"), [ALWAYS], "spends"],
      ["not ready, the budget is met", ready("False"), [MET], "unhealthy"],
      ["not ready, the budget is short", ready("False"), [SHORT], "spends"],
      ["not ready, the budget has counted nothing", ready("False"), [BLANK], "spends"],
      ["not ready, short, but always allowed", ready("False"), [ALWAYS], "unhealthy"],
      ["said nothing of readiness", { phase: "Running" }, [MET], "unhealthy"],
    ];
  for (const [what, status, budgets, expected] of rows)
    it(`${what} → ${expected}`, () => {
      const verdict = judgeEviction(pod("p", { status }), budgets);
      const isPinned = verdict.kind === "free" && verdict.isPinned;
      assert.equal(`${verdict.kind}${isPinned ? ", as it is" : ""}`, expected);
    });

  it("going already → free", () => {
    const going = pod("p", {
      metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" },
      status: ready("True"),
    });
    assert.deepEqual(judgeEviction(going, [SHORT, MET]), { kind: "free", isPinned: false });
  });
});

describe("spend", () => {
  it("takes one, and writes down for which Pod", () => {
    const { status } = spend(budget({ disruptionsAllowed: 2 }), "p", NOW);
    assert.equal(status?.disruptionsAllowed, 1);
    assert.deepEqual(status.disruptedPods, { p: "2026-01-01T00:00:00Z" });
    assert.equal(status.conditions, undefined);
  });

  it("says with the last one that there are none left", () => {
    const { status } = spend(budget({ disruptionsAllowed: 1 }), "p", NOW);
    const [{ reason, status: value } = {}] = status!.conditions!;
    assert.deepEqual([value, reason], ["False", "InsufficientPods"]);
  });

  const condition = (reason: string, message: string, status = "False") => ({
    conditions: [
      { type: "DisruptionAllowed", status, reason, message, lastTransitionTime: "2026-01-01" },
    ],
  });
  const full = Object.fromEntries(
    Array.from({ length: 2001 }, (_, index) => [`p${index}`, "2026-01-01T00:00:00Z"]),
  );
  const budgetText = "The disruption budget b";
  const rows: readonly (readonly [string, PodDisruptionBudget, number, string, number?])[] = [
    [
      "not counted since it changed",
      budget({ disruptionsAllowed: 1 }, undefined, 2),
      429,
      `${budgetText} is still being processed by the server.`,
      10,
    ],
    [
      "none left",
      budget({ currentHealthy: 2, desiredHealthy: 2 }),
      429,
      `${budgetText} needs 2 healthy pods and has 2 currently`,
    ],
    [
      "could not be counted",
      budget({ ...condition("SyncFailed", "why") }),
      429,
      `${budgetText} does not allow evicting pods currently because it failed sync: why`,
    ],
    [
      "none left, though there are more than it needs",
      budget({ currentHealthy: 3, desiredHealthy: 2 }),
      429,
      `${budgetText} does not allow evicting pods currently`,
    ],
    [
      "the same, for a reason",
      budget({ currentHealthy: 3, desiredHealthy: 2, ...condition("Other", "why") }),
      429,
      `${budgetText} does not allow evicting pods currently (Other): why`,
    ],
    [
      "less than none",
      budget({ disruptionsAllowed: -1 }),
      403,
      'poddisruptionbudget.policy "b" is forbidden: pdb disruptions allowed is negative',
    ],
    [
      "thousands under way",
      budget({ disruptionsAllowed: 1, disruptedPods: full }),
      403,
      'poddisruptionbudget.policy "b" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    ],
  ];
  for (const [what, of, code, text, retryAfterSeconds] of rows)
    it(what, () => {
      assert.throws(
        () => spend(of, "p", NOW),
        (error) => {
          assert.ok(isStatusError(error));
          const { message, details } = error.status;
          assert.equal(error.code, code);
          if (code === 403) return message === text;
          const cannot = "Cannot evict pod as it would violate the pod's disruption budget.";
          assert.equal(message, cannot);
          assert.deepEqual(details?.causes, [{ reason: "DisruptionBudget", message: text }]);
          assert.equal(details.retryAfterSeconds, retryAfterSeconds);
          return true;
        },
      );
    });
});
