import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDelay, nextBackOff, retryAt, type BackOff } from "./back-off.ts";

describe("nextBackOff", () => {
  it("doubles from 10 s to 5 min", () => {
    let record: BackOff | undefined;
    const delays: number[] = [];
    for (let at = 0; delays.length < 7; at += 1000)
      delays.push((record = nextBackOff(record, at, at)).delayMs / 1000);
    assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300]);
  });

  it("begins again after ten quiet minutes", () => {
    const record = { delayMs: 300_000, updatedAt: 0 };
    assert.equal(nextBackOff(record, 600_001, 600_001).delayMs, 10_000);
    assert.equal(nextBackOff(record, 600_000, 600_000).delayMs, 300_000);
  });
});

describe("retryAt", () => {
  it("waits only when there was a failure before", () => {
    assert.equal(retryAt(undefined, 5), 5);
    assert.equal(retryAt({ delayMs: 10_000, updatedAt: 0 }, 5), 10_005);
  });
});

describe("formatDelay", () => {
  for (const [ms, text] of [
    [10_000, "10s"],
    [80_000, "1m20s"],
    [300_000, "5m0s"],
    [3_600_000, "1h0m0s"],
  ] as const)
    it(`${ms} ms is ${text}`, () => assert.equal(formatDelay(ms), text));
});
