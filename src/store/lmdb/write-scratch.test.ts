import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WriteScratch } from "./write-scratch.ts";

const MIB = 1024 * 1024;

describe("WriteScratch", () => {
  it("gives the same place again once all who had one have ended", async () => {
    const scratch = new WriteScratch();
    const seen: Buffer[] = [];
    const take = (bytes: number): Promise<void> =>
      scratch.during(async () => void seen.push(scratch.allocate(bytes)));
    await take(10);
    await take(20);
    assert.deepEqual(
      seen.map(({ length, byteOffset }) => [length, byteOffset - seen[0]!.byteOffset]),
      [
        [10, 0],
        [20, 0],
      ],
    );
    assert.equal(seen[0]!.buffer, seen[1]!.buffer);
  });

  it("gives no place twice while one of two is at work, and ends with a failure, too", async () => {
    const scratch = new WriteScratch();
    let finish = (): void => {};
    const first = scratch.during(async () => {
      scratch.allocate(8).fill(1);
      await new Promise<void>((resolve) => (finish = resolve));
    });
    let second: Buffer | undefined;
    await assert.rejects(
      scratch.during(async () => {
        second = scratch.allocate(8).fill(2);
        throw new Error("no space");
      }),
    );
    const third = scratch.allocate(8).fill(3);
    assert.deepEqual([...second!], Array(8).fill(2));
    assert.notEqual(third.byteOffset, second!.byteOffset);
    finish();
    await first;
    assert.equal(scratch.allocate(8).byteOffset, third.byteOffset - 16);
  });

  it("makes a place of its own for what does not fit", async () => {
    const scratch = new WriteScratch();
    await scratch.during(async () => {
      const small = scratch.allocate(MIB - 1);
      const other = scratch.allocate(2);
      assert.notEqual(small.buffer, other.buffer);
      assert.equal(other.length, 2);
    });
  });
});
