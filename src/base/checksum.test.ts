import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as zlib from "node:zlib";
import { checksum, checksumShift, joinedChecksum, tableChecksum } from "./checksum.ts";
import { SeededRandom } from "./seeded-random.ts";

const random = new SeededRandom(7);
const bytesOf = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.integer(256)));

describe("checksum", () => {
  it("is zlib's, with and without zlib's help", () => {
    for (const length of [0, 1, 8, 1000]) {
      const bytes = bytesOf(length);
      assert.equal(checksum(bytes, 5), zlib.crc32(bytes, 5));
      assert.equal(tableChecksum(bytes, 5), zlib.crc32(bytes, 5));
    }
  });
});

describe("joinedChecksum", () => {
  it("is the checksum of both texts, one after the other", () => {
    for (const [first, second] of [
      [0, 0],
      [0, 9],
      [9, 0],
      [1, 1],
      [1000, 1],
      [3, 70_001],
    ] as const) {
      const [a, b] = [bytesOf(first), bytesOf(second)];
      assert.equal(
        joinedChecksum(checksum(a, 0), checksum(b, 0), checksumShift(second)),
        checksum(Buffer.concat([a, b]), 0),
      );
    }
  });
});
