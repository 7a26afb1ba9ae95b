import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MetricRegistry } from "../base/metrics.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { WorkQueue, type Outcome } from "./work-queue.ts";
import { WorkQueueMetrics } from "./work-queue-metrics.ts";

/** A queue whose work is logged with its time, and answered in order by `outcomes` (then "done"). */
function scripted(outcomes: readonly Outcome[] = [], workersMax = 4) {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const log: string[] = [];
  const script = [...outcomes];
  const queue = new WorkQueue(clock, workersMax, (key) => {
    log.push(`${key}@${clock.now() - startMs}`);
    return Promise.resolve(script.shift() ?? { next: "done" });
  });
  return { clock, queue, log };
}

describe("WorkQueue", () => {
  it("begins nothing before start, and then each key once", async () => {
    const { clock, queue, log } = scripted();
    for (const key of ["a", "b", "a"]) queue.add(key);
    await clock.advance(1);
    assert.deepEqual(log, []);
    queue.start();
    await clock.advance(1);
    assert.deepEqual(log, ["a@1", "b@1"]);
  });

  it("backs off from 5 ms, doubling to 1000 s, and forgets failures after a success", async () => {
    const failures: Outcome[] = Array.from({ length: 20 }, () => ({ next: "backoff" }));
    const { clock, queue, log } = scripted([...failures, { next: "done" }, { next: "backoff" }]);
    queue.start();
    queue.add("a");
    await clock.advance(4_000_000);
    const times = log.map((line) => Number(line.slice(2)));
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    assert.deepEqual(gaps.slice(0, 4), [5, 10, 20, 40]);
    assert.equal(Math.max(...gaps), 1_000_000);
    queue.add("a");
    await clock.advance(5);
    assert.deepEqual(
      log.slice(-2).map((line) => Number(line.slice(2)) - 4_000_000),
      [0, 5],
    );
  });

  it("repeats a lost race at once, then with backoff", async () => {
    const { clock, queue, log } = scripted([{ next: "again" }, { next: "again" }]);
    queue.start();
    queue.add("a");
    await clock.advance(1000);
    assert.deepEqual(log, ["a@0", "a@0", "a@10"]);
  });

  it("wakes at the earliest time asked for, once", async () => {
    const { clock, queue, log } = scripted();
    queue.start();
    const now = clock.now();
    for (const delayMs of [300, 100, 200]) queue.addAt("a", now + delayMs);
    await clock.advance(1000);
    assert.deepEqual(log, ["a@100"]);
  });

  it("a run cancels the pending wake-up and takes the plan's", async () => {
    const { clock, queue, log } = scripted([
      { next: "done", wakeAt: Date.UTC(2026, 0, 1, 0, 0, 50) },
    ]);
    queue.start();
    queue.addAt("a", clock.now() + 10_000);
    queue.add("a");
    await clock.advance(60_000);
    assert.deepEqual(log, ["a@0", "a@50000"]);
  });

  it("a key added while held comes again after the hold, not before", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { clock, queue, log } = scripted([{ next: "done", held }]);
    queue.start();
    queue.add("a");
    await clock.advance(10);
    queue.add("a");
    queue.add("b");
    await clock.advance(10);
    assert.deepEqual(log, ["a@0", "b@10"], "the worker is free, the key is not");
    release();
    await clock.advance(0);
    assert.deepEqual(log, ["a@0", "b@10", "a@20"]);
    await queue.idle();
  });

  it("never works on more keys than it has workers, nor on one key twice at once", async () => {
    const clock = new VirtualClock();
    let working = 0;
    let most = 0;
    const queue = new WorkQueue(clock, 3, async () => {
      most = Math.max(most, ++working);
      await new Promise<void>((resolve) => clock.after(10, resolve));
      working--;
      return { next: "done" };
    });
    queue.start();
    for (let i = 0; i < 100; i++) queue.add(String(i % 50));
    await clock.advance(1000);
    assert.equal(most, 3);
    assert.equal(working, 0);
  });

  it("close waits for what was begun and begins nothing more", async () => {
    const { clock, queue, log } = scripted([{ next: "backoff" }]);
    queue.start();
    queue.add("a");
    await clock.advance(0);
    await queue.close();
    queue.add("b");
    await clock.advance(10_000);
    assert.deepEqual(log, ["a@0"]);
  });

  it("tells how many keys wait, how long they did and how long they took", async () => {
    const clock = new VirtualClock();
    const registry = new MetricRegistry();
    const script: Outcome[] = [{ next: "backoff" }];
    const queue: WorkQueue = new WorkQueue(
      clock,
      1,
      async () => {
        await new Promise<void>((resolve) => clock.after(2000, resolve));
        return script.shift() ?? { next: "done" };
      },
      new WorkQueueMetrics(registry).meter("job-controller", () => queue.state),
    );
    const told = (name: string): readonly string[] =>
      registry
        .text()
        .split("\n")
        .filter((line) => line.startsWith(`workqueue_${name}{`))
        .map((line) => line.replace("workqueue_", ""));
    queue.start();
    for (const key of ["a", "b", "a"]) queue.add(key);
    await clock.advance(1500);
    assert.deepEqual(told("depth"), ['depth{name="job"} 1']);
    const longest = "longest_running_processor_seconds";
    assert.deepEqual(told(longest), [`${longest}{name="job"} 1.5`]);
    await clock.advance(10_000);
    assert.deepEqual(told("depth"), ['depth{name="job"} 0']);
    assert.deepEqual(told("adds_total"), ['adds_total{name="job"} 3']);
    assert.deepEqual(told("retries_total"), ['retries_total{name="job"} 1']);
    assert.deepEqual(told("work_duration_seconds_count"), [
      'work_duration_seconds_count{name="job"} 3',
    ]);
    assert.deepEqual(told("queue_duration_seconds_sum"), [
      'queue_duration_seconds_sum{name="job"} 3.995',
    ]);
  });
});
