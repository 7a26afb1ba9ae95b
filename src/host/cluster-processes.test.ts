import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { findClusterProcesses, loopsOf } from "./cluster-processes.ts";

/** A supervisor with one loop, which has forked and whose fork is no other program yet. */
const SCRIPT = `
( ( echo forked; read -r word <"$2/pipe"; : ) & read -r word <"$2/pipe"; : ) &
wait
`;

describe("loopsOf", () => {
  it("counts a loop once, not what it has just forked", async () => {
    const folder = mkdtempSync(join(tmpdir(), "skiff-loops-"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const script = join(folder, "supervise.sh");
    writeFileSync(script, SCRIPT);
    const child = spawn("/bin/sh", [script, "supervise", folder], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(createInterface(child.stdout), "line");
      assert.equal(findClusterProcesses(folder).supervisors.length, 3);
      assert.equal(loopsOf(child.pid!, folder).length, 1);
    } finally {
      process.kill(-child.pid!, "SIGKILL");
      rmSync(folder, { recursive: true });
    }
  });
});
