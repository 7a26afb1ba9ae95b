import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { StartQueue } from "./start-queue.ts";

/** A queue of two places; starts end when the test says so. */
function scene() {
  const clock = new VirtualClock();
  const queue = new StartQueue(clock, 1);
  const running = new Map<string, () => void>();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const start = async (name: string): Promise<void> => {
    const kind = name.startsWith("box") ? "sandbox" : "container";
    void queue.run(kind, () => new Promise<void>((resolve) => running.set(name, resolve)));
    await turn();
  };
  const end = async (name: string): Promise<void> => {
    running.get(name)!();
    running.delete(name);
    await turn();
  };
  const now = (): string => [...running.keys()].sort().join();
  return { clock, start, end, now };
}

describe("StartQueue", () => {
  it("lets two start for each processor, what is begun before what is new", async () => {
    const { start, end, now } = scene();
    for (const name of ["box-1", "box-2", "box-3", "box-4", "app-1"]) await start(name);
    assert.equal(now(), "box-1,box-2");
    await end("box-2");
    assert.equal(now(), "app-1,box-1");
    await end("box-1");
    await end("app-1");
    assert.equal(now(), "box-3,box-4");
    await end("box-3");
    await end("box-4");
    await start("box-5");
    await start("box-6");
    await start("box-7");
    assert.equal(now(), "box-5,box-6");
  });

  it("is not held up for ever by starts that hang", async () => {
    const { clock, start, end, now } = scene();
    for (const name of ["box-1", "box-2", "box-3"]) await start(name);
    await clock.advance(2000);
    assert.equal(now(), "box-1,box-2,box-3");
    await start("box-4");
    await start("box-5");
    assert.equal(now(), "box-1,box-2,box-3,box-4");
    await end("box-1");
    assert.equal(now(), "box-2,box-3,box-4", "it had given up its place before");
    await end("box-3");
    assert.equal(now(), "box-2,box-4,box-5");
  });

  it("gives the place back when a start fails", async () => {
    const queue = new StartQueue(new VirtualClock(), 1);
    const fail = (): Promise<never> => Promise.reject(new Error("no"));
    for (let i = 0; i < 5; i++) await assert.rejects(queue.run("sandbox", fail), /no/);
    assert.equal(await queue.run("sandbox", async () => "started"), "started");
  });
});
