import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/core/node.ts";
import { formatCidr, overlaps, parseCidr } from "./cidr.ts";
import { parsePodRange, plan } from "./nodeipam.ts";

describe("cidr", () => {
  for (const [text, expected] of [
    ["10.244.0.0/16", "10.244.0.0/16"],
    ["10.244.7.9/24", "10.244.7.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["fd00:10:244::/56", "fd00:10:244::/56"],
    ["::/0", "::/0"],
    ["fd00::1:0:0:1/128", "fd00::1:0:0:1/128"],
    ["10.244.0.0", undefined],
    ["10.244.0.0/33", undefined],
    ["10.244.0/16", undefined],
    ["10.244.0.256/16", undefined],
    ["10.0244.0.0/16", undefined],
    ["1:2:3/48", undefined],
    ["fd00:::/48", undefined],
  ] as const) {
    it(`${text} → ${expected}`, () => {
      const cidr = parseCidr(text);
      assert.equal(cidr && formatCidr(cidr), expected);
    });
  }

  it("overlap", () => {
    const pair = (a: string, b: string): boolean => overlaps(parseCidr(a)!, parseCidr(b)!);
    assert.equal(pair("10.0.0.0/8", "10.1.0.0/16"), true);
    assert.equal(pair("10.1.0.0/16", "10.2.0.0/16"), false);
    assert.equal(pair("10.0.0.0/8", "fd00::/8"), false);
  });
});

/** `a` waits, `b=10.244.0.0/24` has a range, `c-` has no agent. */
function nodes(text: string): Node[] {
  return text.split(" ").map((word) => {
    const [, name = "", mark, cidr] = /^(\w+)(-?)(?:=(.*))?$/.exec(word)!;
    return {
      metadata: { name, uid: name },
      spec: cidr ? { podCIDR: cidr, podCIDRs: [cidr] } : {},
      ...(!mark && { status: { nodeInfo: { kubeletVersion: "v1.36.0" } as never } }),
    };
  });
}

function assigned(text: string, range = "10.244.0.0/22"): string {
  const { writes = [], events = [] } = plan(nodes(text), parsePodRange(range, 24));
  const given = writes.map((write) => {
    const { key, patch } = write as { key: { name: string }; patch: { spec: { podCIDR: string } } };
    return `${key.name}=${patch.spec.podCIDR}`;
  });
  return [...given, ...events.map(({ reason }) => reason)].join(" ");
}

describe("node ipam plan", () => {
  for (const [before, expected] of [
    ["a", "a=10.244.0.0/24"],
    ["a b", "a=10.244.0.0/24 b=10.244.1.0/24"],
    ["a=10.244.0.0/24 b", "b=10.244.1.0/24"],
    ["a=10.244.1.0/24 b c", "b=10.244.0.0/24 c=10.244.2.0/24"],
    ["a=10.244.0.0/23 b", "b=10.244.2.0/24"],
    ["a- b", "b=10.244.0.0/24"],
    [
      "a b c d e",
      "a=10.244.0.0/24 b=10.244.1.0/24 c=10.244.2.0/24 d=10.244.3.0/24 CIDRNotAvailable",
    ],
  ] as const) {
    it(`${before} → ${expected}`, () => assert.equal(assigned(before), expected));
  }

  it("wrong settings are refused in the words of the flags", () => {
    assert.throws(() => parsePodRange("10.244.0.0", 24), /--pod-cidr: "10.244.0.0" is no CIDR/);
    assert.throws(
      () => parsePodRange("10.244.0.0/16", 8),
      /--node-pod-prefix: 8 must be between 16 and 32/,
    );
  });
});
