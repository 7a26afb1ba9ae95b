import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freshMemory, type PodMemory } from "./observed.ts";
import { remember, rememberBegin, WAITING_FOR_VOLUMES, type StepResult } from "./remember.ts";
import type { Step } from "./step.ts";

const STEP: Step = { kind: "prepareVolumes" };
const done: StepResult = { isSuccess: true };
const failed: StepResult = { isSuccess: false, reason: "FailedMount", message: "no" };
const made: PodMemory = { ...freshMemory(0), volumes: { kind: "done", value: "" } };

describe("what is remembered of volumes", () => {
  const after = (memory: PodMemory, result: StepResult, asked?: number): PodMemory => {
    const begun = rememberBegin({ ...memory, refreshAt: 1 }, STEP, 1);
    return remember(asked === undefined ? begun : { ...begun, refreshAt: asked }, STEP, result, 5);
  };

  it("a refresh is over when it is done", () =>
    assert.equal(after(made, done).refreshAt, undefined));
  it("one that was asked for meanwhile is still due", () =>
    assert.equal(after(made, done, 3).refreshAt, 3));
  it("a token says when the next one is", () =>
    assert.equal(after(made, { ...done, refreshAt: 90 }).refreshAt, 90));
  it("the sooner of both counts", () =>
    assert.equal(after(made, { ...done, refreshAt: 90 }, 3).refreshAt, 3));
  it("one that fails leaves what is there, and is tried again", () => {
    const { volumes, refreshAt } = after(made, failed);
    assert.deepEqual([volumes.kind, refreshAt], ["done", 122_005]);
  });
  it("volumes that are not here yet are looked for soon, and every 10 s at the latest", () => {
    const waiting: StepResult = { isSuccess: false, reason: WAITING_FOR_VOLUMES, message: "no" };
    let memory = freshMemory(0);
    const waits: number[] = [];
    for (let look = 0; look < 9; look++) {
      memory = remember(memory, STEP, waiting, 0);
      if (memory.volumes.kind === "failed") waits.push(memory.volumes.retryAt);
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });
});
