import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { measureVolume } from "./volume-use.ts";

describe("measureVolume", () => {
  const path = mkdtempSync(join(tmpdir(), "volume-use-"));
  after(() => rmSync(path, { recursive: true }));
  writeFileSync(join(path, "file"), "x".repeat(10_000));

  it("measures a folder by its files", async () => {
    const use = await measureVolume(path, "files");
    assert.equal(use?.inodes, 1);
    assert.ok(use.bytes >= 10_000 && use.bytes < use.disk.capacityBytes);
  });

  it("measures a disk by what is taken of it", async () => {
    const use = await measureVolume("/", "disk");
    const { blocks, bsize, files } = statfsSync("/");
    assert.deepEqual([use?.disk.capacityBytes, use?.disk.inodes], [blocks * bsize, files]);
    assert.equal(use?.bytes, use!.disk.capacityBytes - use!.disk.availableBytes);
    assert.equal(use?.inodes, use!.disk.inodes - use!.disk.inodesFree);
  });

  it("knows nothing of what is not there", async () => {
    for (const measure of ["files", "disk"] as const)
      assert.equal(await measureVolume(join(path, "gone"), measure), undefined);
  });
});
