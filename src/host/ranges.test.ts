import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  addressAt,
  checkCapacity,
  chooseRanges,
  overlap,
  parseCidr,
  RangeError,
} from "./ranges.ts";

describe("chooseRanges", () => {
  it("gives the first cluster the ranges that users know", () => {
    assert.deepEqual(chooseRanges({}, []), {
      nodeCidr: "10.88.0.0/24",
      podCidr: "10.244.0.0/16",
      serviceCidr: "10.96.0.0/16",
    });
  });

  it("steps over what is in use", () => {
    const used = ["10.88.0.0/24", "10.244.0.0/16", "10.96.0.0/15"];
    assert.deepEqual(chooseRanges({}, used), {
      nodeCidr: "10.88.1.0/24",
      podCidr: "10.245.0.0/16",
      serviceCidr: "10.98.0.0/16",
    });
  });

  it("refuses what overlaps or is malformed, naming the flag", () => {
    assert.throws(() => chooseRanges({ podCidr: "10.0.0.0/8" }, ["10.88.0.0/24"]), RangeError);
    assert.throws(
      () => chooseRanges({ podCidr: "10.244.0.1/16" }, []),
      /--pod-cidr 10.244.0.1\/16/,
    );
  });
});

describe("chooseRanges, sizes", () => {
  for (const [asked, expected] of [
    [{ podCidr: "10.9.0.0/28" }, /--pod-cidr 10.9.0.0\/28: expected a prefix length from 1 to 24/],
    [{ serviceCidr: "10.9.0.0/30" }, /--service-cidr .* from 12 to 28/],
    [{ serviceCidr: "10.0.0.0/8" }, /--service-cidr .* from 12 to 28/],
    [{ nodeCidr: "10.9.0.0/30" }, /--node-cidr .* from 1 to 29/],
  ] as const)
    it(`refuses ${JSON.stringify(asked)}`, () =>
      assert.throws(() => chooseRanges(asked, []), expected));
});

describe("checkCapacity", () => {
  const ranges = {
    nodeCidr: "10.88.0.0/29",
    podCidr: "10.244.0.0/22",
    serviceCidr: "10.96.0.0/16",
  };
  it("allows as many nodes as both ranges hold", () => checkCapacity(ranges, 4));
  it("names the range that is too small", () => {
    assert.throws(() => checkCapacity(ranges, 5), /--pod-cidr 10.244.0.0\/22 has room for 4 nodes/);
    const wide = { ...ranges, podCidr: "10.244.0.0/16" };
    assert.throws(() => checkCapacity(wide, 6), /--node-cidr 10.88.0.0\/29 has room for 5 nodes/);
  });
});

describe("parseCidr", () => {
  for (const [text, isValid] of [
    ["10.0.0.0/8", true],
    ["0.0.0.0/0", true],
    ["10.0.0.1/32", true],
    ["10.0.0.1/31", false],
    ["10.0.0/8", false],
    ["10.0.0.0/33", false],
    ["10.0.0.256/32", false],
    ["01.0.0.0/8", false],
  ] as const) {
    it(`${text} is ${isValid ? "a range" : "none"}`, () => {
      assert.equal(parseCidr(text) !== undefined, isValid);
    });
  }
});

describe("overlap", () => {
  it("holds for a range inside another, in both directions", () => {
    assert.equal(overlap("10.96.0.0/12", "10.100.0.0/16"), true);
    assert.equal(overlap("10.100.0.0/16", "10.96.0.0/12"), true);
    assert.equal(overlap("10.100.0.0/16", "10.101.0.0/16"), false);
  });
});

describe("addressAt", () => {
  it("counts from the network address and carries", () => {
    assert.equal(addressAt("10.88.0.0/24", 1), "10.88.0.1");
    assert.equal(addressAt("10.244.0.0/16", 256), "10.244.1.0");
  });
});
