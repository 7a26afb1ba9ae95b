import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DiskTrust } from "./disk-trust.ts";

/** A disk on which a write takes `tookMs`, and how many of some writes were made in the main thread. */
class TimedDisk {
  nowMs = 100_000;
  tookMs = 0.1;
  readonly trust = new DiskTrust(() => this.nowMs);

  /** A write each millisecond, for so long. @returns how many waited for the disk */
  run(forMs: number): number {
    let waited = 0;
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs++) {
      if (!this.trust.isQuick) continue;
      waited++;
      this.trust.time(() => (this.nowMs += this.tookMs));
    }
    return waited;
  }
}

describe("DiskTrust", () => {
  it("trusts a quick disk, and one that was slow for a moment", () => {
    const disk = new TimedDisk();
    assert.ok(disk.run(1000) > 900);
    disk.tookMs = 4;
    assert.equal(disk.run(1), 1);
    disk.tookMs = 0.1;
    assert.ok(disk.run(1000) > 900);
  });

  it("of a disk that is slow for good it waits for three writes in a second", () => {
    const disk = new TimedDisk();
    disk.tookMs = 4;
    const inMinutes = Array.from({ length: 4 }, () => disk.run(60_000));
    for (const waited of inMinutes) assert.ok(waited <= 3 * 60, `${waited}`);
  });

  it("a disk that was slow, and never stalled, is trusted again in a second, however often", () => {
    const disk = new TimedDisk();
    for (let time = 0; time < 20; time++) {
      disk.tookMs = 9;
      assert.equal(disk.run(1), 1);
      disk.tookMs = 0.1;
      assert.equal(disk.run(900), 0);
      disk.run(200);
      assert.ok(disk.run(100) > 80, `after time ${time}`);
    }
  });

  it("a disk that stalls each second holds the main thread once in a minute at last", () => {
    const disk = new TimedDisk();
    const stallsIn = (seconds: number): number => {
      let stalls = 0;
      for (let second = 0; second < seconds; second++) {
        disk.tookMs = 100;
        stalls += disk.run(1);
        disk.tookMs = 0.1;
        disk.run(999);
      }
      return stalls;
    };
    assert.ok(stallsIn(60) <= 7);
    assert.ok(stallsIn(600) <= 11);
  });

  it("a disk that was calm for a minute is forgiven", () => {
    const disk = new TimedDisk();
    disk.tookMs = 100;
    for (let stall = 0; stall < 20; stall++) disk.run(60_001);
    disk.tookMs = 0.1;
    disk.run(180_000);
    disk.tookMs = 100;
    assert.equal(disk.run(1), 1);
    disk.tookMs = 0.1;
    assert.equal(disk.run(900), 0);
    disk.run(200);
    assert.ok(disk.run(100) > 80, "a second later");
  });
});
