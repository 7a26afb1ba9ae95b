import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../base/logger.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { Client } from "../client/client.ts";
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
        silentLogger,
      );
      record("first");
      await new Promise((resolve) => setImmediate(resolve));
      await recorder.idle();
      assert.deepEqual(written, ["first", "second"]);
    });
  }
});
