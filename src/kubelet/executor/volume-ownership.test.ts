import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { giveToGroup } from "./volume-ownership.ts";

describe("giveToGroup", () => {
  const root = mkdtempSync(join(tmpdir(), "skiff-ownership-"));
  after(() => rmSync(root, { recursive: true }));
  const group = process.getgid!();
  const make = (name: string, depth: number): string => {
    mkdirSync(join(root, name, "d/".repeat(depth)), { recursive: true, mode: 0o700 });
    return join(root, name);
  };

  it("gives what is 500 folders deep", async () => {
    const volume = make("deep", 500);
    await giveToGroup(volume, group, undefined);
    assert.equal(statSync(join(volume, "d/".repeat(500))).mode & 0o7777, 0o2770);
  });

  it("refuses what is deeper: each folder stays open while what is below it is given", async () => {
    const volume = make("deeper", 501);
    await assert.rejects(giveToGroup(volume, group, undefined), {
      message: "fsGroup: the volume has folders more than 500 deep",
    });
  });
});
