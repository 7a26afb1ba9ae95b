import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Continuations, Rounds, type Loop, type TaskQueue } from "./rounds.ts";

/** An event loop whose time passes in tasks only. */
class VirtualLoop implements Loop {
  #ms = 0;
  #soon: (() => void)[] = [];
  #timers: { atMs: number; task: () => void }[] = [];
  turns = 0;

  nowMs(): number {
    return this.#ms;
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  after(delayMs: number, task: () => void): void {
    this.#timers.push({ atMs: this.#ms + delayMs, task });
  }

  /** A task that takes so long. */
  work(ms: number): void {
    this.#ms += ms;
  }

  /** One turn: what is due, at once; without anything, time passes to the next timer. */
  turn(): boolean {
    this.turns++;
    if (this.#soon.length === 0) {
      const next = Math.min(...this.#timers.map(({ atMs }) => atMs));
      if (next === Infinity) return false;
      this.#ms = Math.max(this.#ms, next);
    }
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#ms);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#ms);
    const soon = this.#soon.splice(0);
    for (const task of [...due.map(({ task }) => task), ...soon]) task();
    return true;
  }

  untilIdle(): void {
    while (this.turn());
  }
}

/** Watchers that write what has happened since they wrote last, `workMs` each. */
function watchersOf(loop: VirtualLoop, queue: TaskQueue, count: number, workMs: number) {
  const writes: { by: number; events: number; atMs: number }[] = [];
  const waiting = new Array<number>(count).fill(0);
  const happen = (): void => {
    for (let by = 0; by < count; by++)
      if (waiting[by]!++ === 0)
        queue.add(() => {
          loop.work(workMs);
          writes.push({ by, events: waiting[by]!, atMs: loop.nowMs() });
          waiting[by] = 0;
        });
  };
  return { writes, happen };
}

describe("Rounds", () => {
  it("a lone event goes out in the next turn, and the one after it, too", () => {
    const loop = new VirtualLoop();
    const { writes, happen } = watchersOf(loop, new Rounds(loop), 3, 0.02);
    happen();
    loop.turn();
    assert.equal(writes.length, 3);
    loop.untilIdle();
    loop.work(5);
    happen();
    loop.turn();
    assert.equal(writes.length, 6);
  });

  it("a round takes no more than its share of a turn, and each writer once", () => {
    const loop = new VirtualLoop();
    const { writes, happen } = watchersOf(loop, new Rounds(loop), 3000, 0.02);
    happen();
    const turnsMs: number[] = [];
    while (writes.length < 3000) {
      const beganMs = loop.nowMs();
      loop.turn();
      turnsMs.push(Math.round(loop.nowMs() - beganMs));
      // News meanwhile is for the next round.
      happen();
    }
    assert.deepEqual(
      writes.slice(0, 3000).map(({ by }) => by),
      Array.from({ length: 3000 }, (_, by) => by),
    );
    assert.deepEqual(turnsMs, [4, 4, 8, 16, 16, 12]);
  });

  it("a round beside other work has few turns: it goes on for as long as it has lasted, up to a bound", () => {
    for (const [otherMs, turns] of [
      [0, 4],
      [2, 3],
      [8, 3],
      [50, 2],
    ] as const) {
      const loop = new VirtualLoop();
      const { writes, happen } = watchersOf(loop, new Rounds(loop), 1000, 0.02);
      happen();
      const beganMs = loop.nowMs();
      let count = 0;
      for (; writes.length < 1000; count++) {
        loop.turn();
        loop.work(otherMs);
      }
      assert.equal(count, turns, `${otherMs} ms of other work a turn`);
      assert.ok(loop.nowMs() - beganMs <= 20.1 + turns * otherMs);
    }
  });

  it("1,000 watchers and 1,000 changes a second: writing takes half of the time, nothing is lost, nothing late", () => {
    const loop = new VirtualLoop();
    const { writes, happen } = watchersOf(loop, new Rounds(loop), 1000, 0.02);
    const CHANGES = 2000;
    let happened = 0;
    const change = (): void => {
      happen();
      if (++happened < CHANGES) loop.after(happened - loop.nowMs(), change);
    };
    loop.after(0, change);
    loop.untilIdle();
    const writingMs = writes.length * 0.02;
    assert.ok(writingMs <= loop.nowMs() / 2, `${writingMs} ms of ${loop.nowMs()}`);
    const seen = new Array<number>(1000).fill(0);
    const last = new Array<number>(1000).fill(0);
    for (const { by, events, atMs } of writes) {
      seen[by]! += events;
      assert.ok(atMs - last[by]! <= 100, `${atMs - last[by]!} ms between two writes`);
      last[by] = atMs;
    }
    assert.deepEqual(new Set(seen), new Set([CHANGES]));
  });
});

describe("the pause after a round", () => {
  /** When the two first rounds begin, of so many ms, with news all the time. */
  function pauseMs(roundMs: number): number {
    const loop = new VirtualLoop();
    const { writes, happen } = watchersOf(loop, new Rounds(loop), 100, roundMs / 100);
    happen();
    while (writes.length < 200) {
      loop.turn();
      happen();
    }
    return Math.round(writes[100]!.atMs - writes[99]!.atMs - roundMs / 100);
  }

  it("is twice the round, so long as both together are no longer than an event may wait", () => {
    //                  round  pause, ms
    for (const row of [
      [1, 0],
      [3, 6],
      [10, 20],
      [14, 26],
      [20, 20],
      [30, 10],
      [36, 5],
      [60, 5],
    ])
      assert.equal(pauseMs(row[0]!), row[1], `${row[0]} ms of writing`);
  });
});

describe("Continuations", () => {
  it("long bodies go on in rotation, some in each turn", () => {
    const loop = new VirtualLoop();
    const queue = new Continuations(loop);
    const log: number[] = [];
    const go = (by: number, left: number): void =>
      queue.add(() => {
        loop.work(1);
        log.push(by);
        if (left > 1) go(by, left - 1);
      });
    for (const by of [0, 1, 2, 3, 4, 5]) go(by, 10);
    loop.untilIdle();
    assert.deepEqual(
      log,
      Array.from({ length: 60 }, (_, at) => at % 6),
    );
    assert.equal(loop.turns, 60 / 4 + 1);
  });
});
