import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { withLock } from "./file-lock.ts";

describe("withLock", () => {
  it("says what is locked and how long was waited", async () => {
    const clock = new VirtualClock();
    const lock = { name: `test-${process.pid}`, what: "the images of this cluster" };
    await withLock(clock, lock, "first", 0, () =>
      assert.rejects(
        withLock(clock, lock, "second", 0, async () => {}),
        {
          name: "LockHeld",
          message: "another process is at work on the images of this cluster; waited 0 s for it",
        },
      ),
    );
  });
});
