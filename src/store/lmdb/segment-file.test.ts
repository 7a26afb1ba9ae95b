import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
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

  it("writes at once where that may hold the caller, until one took long, and again a second later", async () => {
    let [nowMs, tookMs, looks] = [1000, 0.1, 0];
    const clock = (): number => {
      looks++;
      return (nowMs += tookMs);
    };
    const segment = new SegmentFile(join(folder, "s"), clock);
    // What this thread does is timed: its begin and its end.
    const isAtOnce = async (text: string): Promise<boolean> => {
      looks = 0;
      await segment.write(0, Buffer.from(text), true);
      assert.equal(readFileSync(segment.name, "utf8"), text);
      return looks === 3;
    };
    assert.equal(await isAtOnce("a"), true);
    tookMs = 5;
    assert.equal(await isAtOnce("b"), true, "that it is slow is known afterwards");
    assert.equal(await isAtOnce("c"), false);
    nowMs += 1000;
    assert.equal(await isAtOnce("d"), true);
    await segment.close();
  });

  it("an error of either thread is a rejection", async () => {
    const segment = new SegmentFile(join(folder, "s"));
    await segment.close();
    await assert.rejects(segment.write(0, Buffer.from("a"), true), /EBADF/);
    await assert.rejects(segment.write(0, Buffer.from("a")), /EBADF/);
  });
});
