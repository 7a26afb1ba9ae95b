import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1ContainerState, V1PodStatus } from "../../gen/types.ts";
import { isUrgent } from "./urgency.ts";

const STATES: Readonly<Record<string, V1ContainerState>> = {
  creating: { waiting: { reason: "ContainerCreating" } },
  unpullable: { waiting: { reason: "ErrImagePull" } },
  running: { running: {} },
  ended: { terminated: { exitCode: 0, finishedAt: "2026-01-01T00:00:00Z" } },
};

/** `PHASE STATE [true condition …]` */
function statusOf(text: string): V1PodStatus {
  const [phase = "", word = "", ...conditions] = text.split(" ");
  const state = STATES[word]!;
  return {
    phase,
    conditions: conditions.map((type) => ({ type, status: "True" })),
    containerStatuses: [
      { name: "c", image: "", imageID: "", ready: false, restartCount: 0, state },
    ],
  };
}

describe("isUrgent", () => {
  //  written                                wanted                                          urgent
  const rows: readonly [string, string, boolean][] = [
    ["", "Pending creating Initialized", false],
    ["Pending creating", "Pending creating PodReadyToStartContainers", false],
    ["Pending creating", "Pending unpullable", true],
    ["Pending creating", "Running running", true],
    ["Running running", "Running running Ready", true],
    ["Running running Ready", "Running running", true],
    ["Running running Ready", "Running running Ready", false],
    ["Running running", "Running ended", true],
    ["", "Failed creating", true],
  ];
  for (const [written, wanted, expected] of rows)
    it(`[${written}] → [${wanted}]: ${expected}`, () => {
      const before = written === "" ? undefined : statusOf(written);
      assert.equal(isUrgent(before, statusOf(wanted)), expected);
    });
});
