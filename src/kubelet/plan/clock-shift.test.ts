import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clockShiftMs, shiftMemory } from "./clock-shift.ts";
import { freshMemory, type PodMemory } from "./observed.ts";

const HOUR_MS = 3_600_000;

describe("clockShiftMs", () => {
  it("is 0 while clocks only drift", () => assert.equal(clockShiftMs(1000, 5600, 5000), 0));
  it("is what the clock was set by", () => {
    assert.equal(clockShiftMs(1000, 6000 + HOUR_MS, 5000), HOUR_MS);
    assert.equal(clockShiftMs(1000, 6000 - HOUR_MS, 5000), -HOUR_MS);
  });
});

describe("shiftMemory", () => {
  it("moves every time by as much, and nothing else", () => {
    const at = (base: number): PodMemory => {
      const failure = { reason: "r", message: "m", at: base + 1, retryAt: base + 2 };
      return {
        ...freshMemory(base),
        termination: { since: base + 3, reason: "deleted" },
        volumes: { kind: "done", value: "" },
        refreshAt: base + 4,
        sandbox: { kind: "failed", ...failure },
        images: new Map([["a", { kind: "failed", ...failure }]]),
        starts: new Map([["a", failure]]),
        crashes: new Map([["a", { delayMs: 10, updatedAt: base + 5 }]]),
        probes: new Map([["id", { readiness: true }]]),
        starting: new Set(["id"]),
      };
    };
    assert.deepEqual(shiftMemory(at(10 * HOUR_MS), -HOUR_MS), at(9 * HOUR_MS));
  });

  it("delays no refresh: a token ends by the server's clock", () => {
    const memory = { ...freshMemory(0), refreshAt: HOUR_MS };
    assert.equal(shiftMemory(memory, HOUR_MS).refreshAt, HOUR_MS);
    assert.equal(shiftMemory(memory, -HOUR_MS).refreshAt, 0);
  });
});
