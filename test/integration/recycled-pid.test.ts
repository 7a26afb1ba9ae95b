// The number of an ended process is given to another one: whoever waited for the first must leave the second alone. In a
// pid namespace of its own, where the next number can be chosen.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/base/clock.ts";
import { startTimeOf } from "../../src/host/process-record.ts";
import { endProcesses } from "../../src/host/supervisor.ts";

const INSIDE = "SKIFF_TEST_PID_NAMESPACE";

if (process.env[INSIDE] === "1") {
  describe("endProcesses", () => {
    it("leaves alone who has got the number of a process that ended while it was waited for", async () => {
      const old = await stubborn();
      const begun = startTimeOf(old.pid!);
      let stranger: ChildProcess | undefined;
      const replace = async (): Promise<void> => {
        await end(old);
        // What /proc counts are ticks of 10 ms: within one, two processes cannot be told apart.
        while (!stranger || startTimeOf(old.pid!) === begun) {
          if (stranger) await end(stranger);
          stranger = await stubborn(old.pid);
        }
      };
      let now = 0;
      let replaced: Promise<void> | undefined;
      const clock: Clock = {
        now: () => now,
        monotonic: () => now,
        after: (ms, task) => {
          replaced ??= replace();
          void replaced.then(() => {
            now += ms;
            task();
          });
          return { cancel: () => {} };
        },
      };
      await endProcesses(clock, [old.pid!], 100);
      assert.equal(stranger?.pid, old.pid);
      assert.ok(startTimeOf(old.pid!) !== undefined, "it lives");
      await end(stranger!);
    });
  });
} else {
  it("in a pid namespace of its own", () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const words = ["--pid", "--fork", "--mount-proc", process.execPath];
    const file = fileURLToPath(import.meta.url);
    const { status, stdout, stderr } = spawnSync("unshare", [...words, file], {
      env: { ...env, [INSIDE]: "1" },
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.equal(status, 0, stdout + stderr);
  });
}

/** A process that SIGTERM does not end. `pid`: the number that it shall get. */
async function stubborn(pid?: number): Promise<ChildProcess> {
  if (pid !== undefined) writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
  const child = spawn("sh", ["-c", "trap '' TERM; echo up; while :; do read x; done"]);
  await once(child.stdout, "data");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}
