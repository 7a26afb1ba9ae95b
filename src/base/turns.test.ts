import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "./clock.ts";
import { runInSlices, SLICE_MS, turnsOf, visitInSlices } from "./turns.ts";
import { countTurns } from "../../test/support/count-turns.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A clock on which every look takes a millisecond. */
function busyClock(): Clock {
  let nowMs = 0;
  return { now: () => nowMs, monotonic: () => nowMs++, after: () => ({ cancel: () => {} }) };
}

describe("turns", () => {
  it("a slice ends, and goes on in another turn of the loop", async () => {
    const slice = turnsOf(busyClock()).slice();
    let steps = 0;
    while (!slice.isOver) steps++;
    assert.equal(steps, SLICE_MS - 1);
    let turn = "first";
    setImmediate(() => (turn = "second"));
    await slice.next();
    assert.equal(turn, "second");
    assert.equal(slice.isOver, false);
  });

  it("whoever begins in the same turn has what is left of its slice", () => {
    const turns = turnsOf(busyClock());
    const first = turns.slice();
    while (!first.isOver);
    assert.equal(turns.slice().isOver, true);
  });

  it("of several tasks one goes on in each turn, in order", async () => {
    const turns = turnsOf(busyClock());
    const log: string[] = [];
    const task = async (name: string): Promise<void> => {
      await turns.next();
      log.push(name);
    };
    const all = Promise.all([task("a"), task("b")]);
    setImmediate(() => log.push("turn"));
    await all;
    assert.deepEqual(log, ["a", "turn", "b"]);
  });

  it("short work begins in order, a slice of it in each turn", async () => {
    const turns = turnsOf(busyClock());
    const order: number[] = [];
    const all = Array.from({ length: 3 * SLICE_MS }, async (_, at) => {
      await turns.room();
      order.push(at);
    });
    await Promise.resolve();
    const atOnce = order.length;
    await Promise.all(all);
    assert.ok(atOnce > 0 && atOnce <= SLICE_MS, `${atOnce} at once`);
    assert.deepEqual(order, [...all.keys()]);
  });

  it("whoever comes while others wait for room waits behind them", async () => {
    const turns = turnsOf(busyClock());
    while (!turns.room());
    const order: string[] = [];
    const first = turns.room()!.then(() => order.push("first"));
    await new Promise((resolve) => setImmediate(resolve));
    const second = Promise.resolve(turns.room()).then(() => order.push("second"));
    await Promise.all([first, second]);
    assert.deepEqual(order, ["first", "second"]);
  });

  it("visits everything in order", async () => {
    const items = Array.from({ length: 50 }, (_, at) => at);
    const seen: number[] = [];
    await visitInSlices(busyClock(), items, (item) => seen.push(item));
    assert.deepEqual(seen, items);
  });

  it("steps go on in another turn when a slice is over", async () => {
    const steps = (function* () {
      for (let at = 0; at < 50; at++) yield;
      return "end";
    })();
    const { result, turns } = await countTurns(() => runInSlices(busyClock(), steps));
    assert.equal(result, "end");
    assert.ok(turns >= 50 / SLICE_MS, `${turns} turns`);
  });

  it("cuts nothing where time is virtual, however far it moves", async () => {
    const clock = new VirtualClock();
    const slice = turnsOf(clock).slice();
    await clock.advance(1000);
    assert.equal(slice.isOver, false);
    for (let at = 0; at < 100; at++) assert.equal(turnsOf(clock).room(), undefined);
  });
});
