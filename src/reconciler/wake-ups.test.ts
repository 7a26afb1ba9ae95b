import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { WakeUps } from "./wake-ups.ts";

function scripted() {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const log: string[] = [];
  const wakeUps = new WakeUps(clock, (key) => log.push(`${key}@${clock.now() - startMs}`));
  const set = (key: string, inMs: number): void => wakeUps.set(key, startMs + inMs);
  return { clock, wakeUps, log, set };
}

describe("WakeUps", () => {
  it("wake each key once, at its earliest time, in order", async () => {
    const { clock, log, set } = scripted();
    for (const [key, inMs] of [["b", 20], ["a", 30], ["a", 10], ["c", 20], ["a", 40]] as const) set(key, inMs); // prettier-ignore
    await clock.advance(1000);
    assert.deepEqual(log, ["a@10", "b@20", "c@20"]);
  });

  it("wake no key that was cancelled, and one that is set again", async () => {
    const { clock, wakeUps, log, set } = scripted();
    set("a", 10);
    set("b", 20);
    wakeUps.cancel("a");
    wakeUps.cancel("b");
    set("b", 30);
    await clock.advance(1000);
    assert.deepEqual(log, ["b@30"]);
  });

  it("need one timer for all", () => {
    const { clock, set } = scripted();
    let timers = 0;
    const after = clock.after.bind(clock);
    clock.after = (...call) => {
      timers++;
      return after(...call);
    };
    for (let key = 0; key < 10_000; key++) set(`${key}`, 1_000_000 + key);
    assert.equal(timers, 1);
  });

  it("notice within a minute that the clock was set forward", async () => {
    const { clock, log, set } = scripted();
    set("a", 3_600_000);
    clock.set(3_600_000);
    await clock.advance(60_000);
    assert.deepEqual(log, ["a@3660000"]);
  });

  it("let none wait longer because the clock was set back, whenever it was set forward", async () => {
    const { clock, log, set } = scripted();
    const DAY_MS = 86_400_000;
    set("long", 50_000);
    await clock.advance(1000);
    clock.set(DAY_MS);
    set("short", DAY_MS + 11_000);
    clock.set(-DAY_MS);
    await clock.advance(60_000);
    assert.deepEqual(log.sort(), ["long@50000", "short@50000"]);
  });

  it("keep no more than twice what counts", async () => {
    const { clock, wakeUps, log, set } = scripted();
    for (let round = 0; round < 10_000; round++) {
      set("a", 1000 + round);
      wakeUps.cancel("a");
    }
    set("a", 50);
    await clock.advance(60);
    assert.deepEqual(log, ["a@50"]);
  });
});
