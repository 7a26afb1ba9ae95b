import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../base/logger.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { Client } from "./client.ts";
import { EventRecorder } from "./event-recorder.ts";

describe("EventRecorder", () => {
  for (let steps = 0; steps < 12; steps++) {
    it(`writes an event that comes ${steps} steps after the one before was written`, async () => {
      const written: string[] = [];
      const record = (name: string): void =>
        recorder.record("test", {
          type: "Normal",
          reason: "Happened",
          message: name,
          regarding: { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" } },
        });
      const late = async (): Promise<void> => {
        for (let i = 0; i < steps; i++) await Promise.resolve();
        record("second");
      };
      const create = (_kind: unknown, object: { readonly message?: string }): Promise<object> => {
        written.push(object.message ?? "");
        if (written.length === 1) void late();
        return Promise.resolve(object);
      };
      const recorder = new EventRecorder(
        { create } as unknown as Client,
        new VirtualClock(),
        new SeededRandom(1),
        silentLogger,
      );
      record("first");
      await new Promise((resolve) => setImmediate(resolve));
      await recorder.idle();
      assert.deepEqual(written, ["first", "second"]);
    });
  }

  it("writes events of different objects side by side, those of one object one after the other", async () => {
    const clock = new VirtualClock();
    const begun: string[] = [];
    let open: (() => void)[] = [];
    const write = async (text: string): Promise<object> => {
      begun.push(text);
      await new Promise<void>((resolve) => open.push(resolve));
      return { metadata: { name: text } };
    };
    const create = (_kind: unknown, { message }: { readonly message: string }): Promise<object> =>
      write(message);
    const patch = (_kind: unknown, { name }: { readonly name: string }): Promise<object> =>
      write(`${name} again`);
    const client = { create, patch } as unknown as Client;
    const recorder = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    for (const name of ["a", "b", "c", "b", "d"])
      recorder.record("test", {
        type: "Normal",
        reason: "Happened",
        message: name,
        regarding: { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" } },
      });
    const rounds: string[] = [];
    for (let round = 0; round < 3; round++) {
      rounds.push(begun.splice(0).join(" "));
      for (const answer of open.splice(0)) answer();
      await clock.advance(1000);
    }
    open = [];
    assert.deepEqual(rounds, ["a", "b c", "b again d"]);
  });

  it("waits with many events for a server that is away without a warning from Node.js", async () => {
    const clock = new VirtualClock();
    // The first one is alone; what came meanwhile is tried side by side.
    let calls = 0;
    const create = (): Promise<object> =>
      calls++ === 0 ? Promise.resolve({}) : Promise.reject(new Error("nobody there"));
    const client = { create } as unknown as Client;
    const recorder = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    for (let i = 0; i < 20; i++)
      recorder.record("test", {
        type: "Normal",
        reason: "Happened",
        message: "it did",
        regarding: { apiVersion: "v1", kind: "Pod", metadata: { name: `p${i}`, namespace: "n" } },
      });
    await clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    assert.deepEqual(warnings, []);
  });

  it("lets routine wait, until something else happens", async () => {
    const { clock, recorder, record, written } = routine();
    record("Started");
    await clock.advance(200);
    assert.deepEqual(written, []);
    await clock.advance(200);
    assert.deepEqual(written, ["Started"]);
    record("Started");
    record("Killing");
    await clock.advance(0);
    await recorder.idle();
    assert.deepEqual(written, ["Started", "Killing"], "the same again is counted, not created");
  });

  it("lets routine wait for a pause, but not for ever", async () => {
    const { clock, record, written } = routine();
    for (let i = 0; i < 14; i++) {
      record("Started", `p${i}`);
      await clock.advance(200);
    }
    assert.deepEqual(written, []);
    record("Started", "p14");
    await clock.advance(200);
    assert.equal(written.length, 15);
  });
});

/** A recorder for which `Started` is routine, and the reasons of what it has created. */
function routine() {
  const clock = new VirtualClock();
  const written: string[] = [];
  const create = (_kind: unknown, { reason = "" }: { reason?: string }): Promise<object> => {
    written.push(reason);
    return Promise.resolve({});
  };
  const client = { create, patch: () => Promise.resolve({}) } as unknown as Client;
  const options = { isRoutine: (reason: string) => reason === "Started" };
  const recorder = new EventRecorder(client, clock, new SeededRandom(1), silentLogger, options);
  const record = (reason: string, name = "p"): void =>
    recorder.record("test", {
      type: "Normal",
      reason,
      message: reason,
      regarding: { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "n" } },
    });
  return { clock, recorder, record, written };
}
