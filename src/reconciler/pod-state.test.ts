import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../api/core/pod.ts";
import { nextAvailableAt } from "./pod-state.ts";

const NOW = Date.UTC(2026, 0, 1, 12);

/** Ready since so many seconds after noon. */
function readySince(seconds: number): Pod {
  const lastTransitionTime = new Date(NOW + seconds * 1000).toISOString();
  return { status: { conditions: [{ type: "Ready", status: "True", lastTransitionTime }] } } as Pod;
}

describe("nextAvailableAt", () => {
  const after = (...seconds: readonly number[]): number | undefined => {
    const at = nextAvailableAt(seconds.map(readySince), 10, NOW);
    return at === undefined ? undefined : (at - NOW) / 1000;
  };

  it("is when the first of those that are ready has been so for long enough", () => {
    assert.equal(after(-8, -3, -20), 2);
    assert.equal(after(-20), undefined);
  });

  it("looks again soon at Pods that are ready since tomorrow: the clock was set back", () => {
    assert.equal(after(86_400), 10);
  });
});
