import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DiskTrust } from "./disk-trust.ts";
import { SegmentFile } from "./segment-file.ts";

describe("SegmentFile", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "skiff-segment-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("holds what was written, by whichever thread", async () => {
    const segment = new SegmentFile(join(folder, "s"));
    await segment.write(0, Buffer.from("aaaa"));
    await segment.write(4, Buffer.from("bb"), true);
    await segment.write(2, Buffer.from("cc"), true);
    assert.equal(segment.bytes, 6);
    assert.equal((await segment.read()).toString(), "aaccbb");
    assert.equal(statSync(segment.name).mode & 0o777, 0o600);
    await segment.close();
    assert.equal(new SegmentFile(join(folder, "s")).bytes, 6);
  });

  it("writes at once where that may hold the caller, unless that took long lately", async () => {
    let [nowMs, tookMs, looks] = [1000, 0.1, 0];
    const clock = (): number => {
      looks++;
      return (nowMs += tookMs);
    };
    const segment = new SegmentFile(join(folder, "s"), new DiskTrust(clock));
    // What this thread does is timed: its begin and its end.
    const countAtOnce = async (writes: number): Promise<number> => {
      let atOnce = 0;
      for (let write = 0; write < writes; write++) {
        looks = 0;
        await segment.write(0, Buffer.from(`${write}`), true);
        assert.equal(readFileSync(segment.name, "utf8"), `${write}`);
        if (looks === 3) atOnce++;
      }
      return atOnce;
    };
    assert.equal(await countAtOnce(10), 10, "a quick disk");
    tookMs = 4;
    assert.equal(await countAtOnce(1), 1);
    tookMs = 0.1;
    assert.equal(await countAtOnce(10), 10, "one that was slow once");
    tookMs = 4;
    assert.equal(await countAtOnce(10), 2, "one that becomes slow");
    nowMs += 1000;
    assert.equal(await countAtOnce(10), 3, "and still is a second later");
    nowMs += 2000;
    tookMs = 0.1;
    assert.equal(await countAtOnce(10), 10, "one that is quick again");
    await segment.close();
  });

  it("an error of either thread is a rejection", async () => {
    const segment = new SegmentFile(join(folder, "s"));
    await segment.close();
    await assert.rejects(segment.write(0, Buffer.from("a"), true), /EBADF/);
    await assert.rejects(segment.write(0, Buffer.from("a")), /EBADF/);
  });
});
