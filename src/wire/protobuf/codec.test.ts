import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtobufError } from "../../base/protobuf.ts";
import { messageCodecs } from "./codec.ts";

const codecs = messageCodecs({
  Leaf: "name:string=1 count:int=2",
  Tree: "id:string=1 size:int=2 isOld:bool=3 raw:bytes=4 labels:map=5 leaf:Leaf=6 leaves:Leaf[]=7 names:string[]=8 groups:int[]=9 ratio:double=10",
  Newer: "id:string=1 extra:int=20 more:Leaf=21 real:double=22",
});
const tree = codecs<Record<string, unknown>>("Tree");

const zero = {
  id: "",
  size: 0,
  isOld: false,
  raw: Buffer.alloc(0),
  labels: {},
  leaves: [],
  names: [],
  groups: [],
  ratio: 0,
};

describe("messageCodecs", () => {
  it("gives absent fields their zero, and absent messages undefined", () => {
    assert.deepEqual(tree.decode(new Uint8Array()), zero);
  });

  it("encodes as the specification's examples do", () => {
    assert.equal(tree.encode({ size: 150 }).toString("hex"), "109601");
    assert.equal(tree.encode({ size: -2 }).toString("hex"), "10feffffffffffffffff01");
    assert.equal(tree.encode({ id: "testing" }).toString("hex"), "0a0774657374696e67");
  });

  it("returns what it was given", () => {
    const value = {
      id: "größe",
      size: -997,
      isOld: true,
      raw: Buffer.from([0, 255]),
      labels: { a: "1", "": "empty", b: "" },
      leaf: { name: "x", count: 2 ** 53 - 1 },
      leaves: [
        { name: "", count: 0 },
        { name: "y", count: 300 },
      ],
      names: ["", "n"],
      groups: [0, 1, 65536],
      ratio: 0.5,
    };
    assert.deepEqual(tree.decode(tree.encode(value)), value);
  });

  it("reads packed integers", () => {
    assert.deepEqual(tree.decode(Buffer.from("4a0301ac02", "hex"))["groups"], [1, 300]);
  });

  it("skips fields it does not know", () => {
    const newer = codecs<object>("Newer");
    const bytes = newer.encode({ id: "a", extra: 7, more: { name: "z" }, real: 2 });
    assert.deepEqual(tree.decode(bytes), { ...zero, id: "a" });
  });

  it("keeps a key called __proto__ a key", () => {
    const labels = JSON.parse('{"__proto__":"x"}') as object;
    const back = tree.decode(tree.encode({ labels }))["labels"] as object;
    assert.deepEqual(Object.keys(back), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(back), Object.prototype);
  });

  it("refuses what is no message", () => {
    for (const hex of ["10", "0a05", "0f", "10ffffffffffffffffffffff01"])
      assert.throws(() => tree.decode(Buffer.from(hex, "hex")), ProtobufError, hex);
  });
});
