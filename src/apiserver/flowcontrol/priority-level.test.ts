import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PriorityLevel, type LevelConfig, type Ticket } from "./priority-level.ts";

const QUEUING = { queues: 64, handSize: 6, queueLengthLimit: 3 };

function level(nominal: number, config: Partial<LevelConfig> = { queuing: QUEUING }) {
  const limits = { nominal, lower: nominal, upper: Infinity, perRequest: 10 };
  return new PriorityLevel<Ticket>({ name: "l", uid: "", isExempt: false, limits, ...config });
}

const ticket = (distinguisher: string, seats = 1): Ticket => ({
  schema: "s",
  distinguisher,
  seats,
  sinceMs: 0,
});

/** Whose requests run, in order, each for `seconds`. */
function served(of: PriorityLevel<Ticket>, seconds = 0.01): string {
  let text = "";
  for (let next = of.take(); next; next = of.take()) {
    text += next.distinguisher;
    of.ran(next, seconds);
  }
  return text;
}

describe("PriorityLevel", () => {
  it("serves flows in turn, however many requests one of them has", () => {
    const busy = level(100);
    for (let i = 0; i < 12; i++) busy.enqueue(ticket("a"));
    busy.enqueue(ticket("b"));
    busy.enqueue(ticket("b"));
    assert.ok(served(busy).indexOf("b", 2) < 10, "not behind all of a");
  });

  it("a flow that comes late does not wait for those that were there before it", () => {
    const busy = level(1000, { queuing: { queues: 64, handSize: 1, queueLengthLimit: 500 } });
    for (let i = 0; i < 300; i++) busy.enqueue(ticket("a"));
    for (let i = 0; i < 100; i++) busy.ran(busy.take()!, 0.01);
    for (let i = 0; i < 3; i++) busy.enqueue(ticket("b"));
    assert.equal([...served(busy).slice(0, 6)].filter((who) => who === "b").length, 3);
  });

  it("counts seats: a flow of wide requests gets as much as one of narrow ones", () => {
    const busy = level(1000, { queuing: { queues: 64, handSize: 1, queueLengthLimit: 500 } });
    for (let i = 0; i < 10; i++) busy.enqueue(ticket("w", 5));
    for (let i = 0; i < 50; i++) busy.enqueue(ticket("n"));
    const wide = [...served(busy).slice(0, 30)].filter((who) => who === "w").length;
    assert.ok(wide >= 4 && wide <= 6, `${wide} of 30`);
  });

  it("refuses what finds no seat and no room in its queues", () => {
    const busy = level(2, { queuing: { queues: 1, handSize: 1, queueLengthLimit: 3 } });
    busy.seatsInUse = 2;
    const lengths = [1, 2, 3, 4].map(() => busy.enqueue(ticket("a")));
    assert.deepEqual(lengths, [1, 2, 3, undefined]);
    assert.equal(busy.waiting, 3);
  });

  it("what would find a seat waits its turn even where queues are full or there are none", () => {
    const rejecting = level(2, {});
    assert.equal(rejecting.enqueue(ticket("a")), 1);
    assert.equal(rejecting.enqueue(ticket("b")), 2);
    assert.equal(rejecting.enqueue(ticket("c")), undefined);
  });

  it("a flow that fills its queues leaves others room", () => {
    const busy = level(1);
    busy.seatsInUse = 1;
    let filled = 0;
    while (busy.enqueue(ticket("noisy")) !== undefined) filled++;
    assert.equal(filled, QUEUING.handSize * QUEUING.queueLengthLimit);
    for (const name of ["b", "c", "d"]) assert.equal(busy.enqueue(ticket(name)), 1, name);
  });

  it("who gives up is not served", () => {
    const busy = level(9);
    const [gone, other] = [ticket("a"), ticket("b")];
    busy.enqueue(gone);
    busy.enqueue(other);
    busy.remove(gone);
    busy.remove(gone);
    assert.equal(busy.waiting, 1);
    assert.equal(served(busy), "b");
  });
});
