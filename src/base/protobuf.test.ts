import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtobufReader, ProtobufWriter, WIRE_BYTES, WIRE_VARINT } from "./protobuf.ts";

const reader = (hex: string) => new ProtobufReader(Buffer.from(hex.replaceAll(" ", ""), "hex"));

describe("protobuf wire format", () => {
  it("numbers survive, negative ones and large ones too", () => {
    const table = [0, 1, 127, 128, 300, 2 ** 31 - 1, 2 ** 32, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1];
    for (const value of [...table, ...table.map((number) => -number || 0)]) {
      const writer = new ProtobufWriter();
      writer.varint(536_870_911, value);
      const read = new ProtobufReader(writer.end());
      assert.deepEqual(read.tag(), { number: 536_870_911, wireType: WIRE_VARINT });
      assert.equal(read.varint(), value);
      assert.ok(read.isAtEnd);
    }
  });

  it("known encodings", () => {
    const writer = new ProtobufWriter();
    writer.varint(1, 150);
    writer.bytes(2, Buffer.from("testing"));
    writer.varint(3, -1);
    writer.double(4, 0.5);
    assert.equal(
      writer.end().toString("hex"),
      "089601" + "120774657374696e67" + "18ffffffffffffffffff01" + "21000000000000e03f",
    );
  });

  it("values of every wire type can be stepped over", () => {
    const read = reader("08 9601 11 0000000000000000 1a 02 6869 25 00000000 2a 01 78");
    for (let field = 1; field <= 4; field++) read.skip(read.tag().wireType);
    assert.deepEqual(read.tag(), { number: 5, wireType: WIRE_BYTES });
    assert.equal(read.bytes().toString(), "x");
  });

  it("malformed input is told in Go's words", () => {
    const table: [string, (read: ProtobufReader) => unknown, string][] = [
      ["", (read) => read.varint(), "unexpected EOF"],
      ["80", (read) => read.varint(), "unexpected EOF"],
      ["ffffffffffffffffffff01", (read) => read.varint(), "proto: integer overflow"],
      ["05 6162", (read) => read.bytes(), "unexpected EOF"],
      [
        "ffffffffffffffffff01",
        (read) => read.bytes(),
        "proto: negative length found during unmarshaling",
      ],
      ["ffffffffffffff7f", (read) => read.bytes(), "unexpected EOF"],
      ["0000", (read) => read.double(), "unexpected EOF"],
      ["00", (read) => read.tag(), "proto: illegal tag 0 (wire type 0)"],
      ["", (read) => read.skip(7), "proto: illegal wireType 7"],
    ];
    for (const [hex, act, message] of table)
      assert.throws(() => act(reader(hex)), { name: "ProtobufError", message }, hex);
  });
});
