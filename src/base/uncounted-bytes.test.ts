import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { describe, it } from "node:test";
import { copyBytes, uncountedBytes } from "./uncounted-bytes.ts";

describe("uncounted bytes", () => {
  it("are a buffer like any other to those who write, read, hash and seal values", () => {
    const bytes = uncountedBytes(64).subarray(8, 16);
    assert.equal(bytes.write("grün", "utf8"), 5);
    assert.equal(bytes.toString("utf8", 0, 5), "grün");
    bytes.writeUInt32LE(7, 4);
    assert.deepEqual(Buffer.from(bytes), Buffer.from("grü\u0007\0\0\0", "utf8"));
    const copy = Buffer.from(bytes);
    const digestOf = (value: Buffer): string => createHash("sha256").update(value).digest("hex");
    assert.equal(digestOf(bytes), digestOf(copy));
    const sealed = (value: Buffer): Buffer =>
      createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12)).update(value);
    assert.deepEqual(sealed(bytes), sealed(copy));
    assert.equal(bytes.equals(copy), true);
  });

  it("are copied from and to any place, and nothing beside it is touched", () => {
    const text = Buffer.from("0123456789");
    for (const source of [text, uncountedBytes(10)])
      for (const target of [Buffer.alloc(6, "-"), uncountedBytes(16).subarray(5, 11)]) {
        text.copy(source);
        target.fill("-");
        assert.equal(copyBytes(source.subarray(1), 2, 5, target, 1), 3);
        assert.equal(copyBytes(source, 4, 4, target, 6), 0);
        assert.equal(target.toString(), "-345--");
      }
    assert.throws(() => copyBytes(text, 0, 10, Buffer.alloc(4), 0), RangeError);
  });

  it("are not in the count by which V8 decides to collect", () => {
    const before = process.memoryUsage().external;
    const held = Array.from({ length: 16 }, () => uncountedBytes(64 * 1024));
    assert.ok(process.memoryUsage().external - before < held.length * 64 * 1024);
  });
});
