import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { StepCooling } from "./step-cooling.ts";

describe("StepCooling", () => {
  it("holds a failed step as long as it said, also when the wall clock is set back meanwhile", async () => {
    const clock = new VirtualClock();
    const cooling = new StepCooling(clock);
    const step = { kind: "stopSandbox", id: "1" } as const;
    cooling.note(step, false, false);
    clock.set(-3 * 3_600_000);
    const now = clock.now();
    const waitMs = cooling.nextAt([step], now, clock.monotonic())! - now;
    assert.ok(cooling.isCold(step, clock.monotonic()));
    await clock.advance(waitMs);
    assert.ok(!cooling.isCold(step, clock.monotonic()));
  });

  it("gives a step that was held in a decision its next time, also when time goes on between the two", async () => {
    const clock = new VirtualClock();
    const cooling = new StepCooling(clock);
    const step = { kind: "ensureImage", container: "app" } as const;
    cooling.note(step, true, true);
    const [now, steadyMs] = [clock.now(), clock.monotonic()];
    assert.ok(cooling.isCold(step, steadyMs));
    await clock.advance(60_000);
    assert.equal(cooling.nextAt([step], now, steadyMs), now + 1000);
  });
});
