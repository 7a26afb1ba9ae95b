import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { Prober, type ProbeAnswer } from "./prober.ts";

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

  it("keeps its verdict when the probe itself errs, and says so", async () => {
    const clock = new VirtualClock();
    const answers: ProbeAnswer[] = [];
    const verdicts: (boolean | undefined)[] = [];
    const words: string[] = [];
    let counted = 0;
    const prober = new Prober(clock, {}, () => Promise.resolve(answers.shift()!), {
      onResults: (_, { readiness }) => verdicts.push(readiness),
      onAnswer: () => counted++,
      onFailure: (_, __, text) => words.push(text),
    });
    const spec = { name: "c", readinessProbe: { periodSeconds: 1, failureThreshold: 1 } };
    answers.push(
      { isSuccess: true, output: "" },
      { isSuccess: false, isError: true, output: "no runtime" },
      { isSuccess: false, output: "bad" },
    );
    prober.set({}, [{ id: "1", startedAt: clock.now(), spec }]);
    await clock.advance(0);
    await clock.advance(1_000);
    assert.deepEqual(verdicts, [true]);
    await clock.advance(1_000);
    assert.deepEqual(verdicts, [true, false]);
    assert.deepEqual(words, ["errored and resulted in unknown state: no runtime", "failed: bad"]);
    assert.equal(counted, 2);
    prober.close();
  });
});
