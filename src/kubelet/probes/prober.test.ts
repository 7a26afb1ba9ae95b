import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { Prober } from "./prober.ts";

describe("Prober", () => {
  it("waits for the initial delay alone when the clock was set back after the container started", async () => {
    const clock = new VirtualClock();
    const startedAt = clock.now();
    clock.set(-3 * 3_600_000);
    let asked = 0;
    const prober = new Prober(
      clock,
      {},
      () => Promise.resolve({ isSuccess: true, output: String(++asked) }),
      { onResults: () => {}, onAnswer: () => {}, onFailure: () => {} },
    );
    const spec = { name: "c", readinessProbe: { initialDelaySeconds: 5 } };
    prober.set({}, [{ id: "1", startedAt, spec }]);
    await clock.advance(4_999);
    assert.equal(asked, 0);
    await clock.advance(1);
    assert.equal(asked, 1);
    prober.close();
  });
});
