import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import { fillSlices, type Endpoint } from "./fill-slices.ts";

const endpoint = (name: string, ready = true): Endpoint => ({
  addresses: [name],
  conditions: { ready },
});

const slice = (name: string, text: string): EndpointSlice => ({
  metadata: { name },
  addressType: "IPv4",
  endpoints: text ? text.split("").map((letter) => endpoint(letter)) : [],
});

/** `s1:abc s2:d` before, `abcde` wanted; at most three in a slice. Result: `s1:abc` changed, `+de` new, `-s2` emptied. */
function fill(before: string, wanted: string): string {
  const slices = before
    .split(" ")
    .filter(Boolean)
    .map((text) => slice(...(text.split(":") as [string, string])));
  const text = (endpoints: readonly Endpoint[]): string =>
    endpoints.map(({ addresses }) => addresses[0]).join("");
  const all = wanted.split("").map((letter) => endpoint(letter));
  const { updated, emptied, fresh } = fillSlices(slices, all, 3, () => false);
  return [
    ...[...updated].map(([changed, endpoints]) => `${changed.metadata?.name}:${text(endpoints)}`),
    ...fresh.map((endpoints) => `+${text(endpoints)}`),
    ...emptied.map((gone) => `-${gone.metadata?.name}`),
  ].join(" ");
}

const ROWS: readonly (readonly [string, string, string, string])[] = [
  ["nothing, nothing wanted", "", "", ""],
  ["new ones in full slices", "", "abcd", "+abc +d"],
  ["nothing changes", "1:abc", "abc", ""],
  ["one leaves", "1:abc", "ab", "1:ab"],
  ["the last one leaves", "1:a 2:b", "a", "-2"],
  ["one comes: the slice that it fits best", "1:a 2:bc", "abcd", "2:bcd"],
  ["one comes and none has room", "1:abc", "abcd", "+d"],
  ["one leaves, one comes: the changed slice takes it", "1:abc 2:d", "abde", "1:abe"],
];

describe("fillSlices", () => {
  for (const [what, before, wanted, expected] of ROWS) {
    it(what, () => assert.equal(fill(before, wanted), expected));
  }

  it("a changed condition rewrites the slice in place", () => {
    const { updated } = fillSlices(
      [slice("1", "ab")],
      [endpoint("a"), endpoint("b", false)],
      3,
      () => false,
    );
    assert.deepEqual([...updated.values()], [[endpoint("a"), endpoint("b", false)]]);
  });

  it("holds each wanted endpoint exactly once, in slices within the limit, whatever came before", () => {
    const random = new SeededRandom(1);
    const letters = "abcdefghijklmnop";
    const some = (): string =>
      letters
        .split("")
        .filter(() => random.integer(2) === 0)
        .join("");
    let slices: EndpointSlice[] = [];
    for (let round = 0; round < 200; round++) {
      const wanted = some();
      const all = wanted.split("").map((letter) => endpoint(letter, random.integer(2) === 0));
      const { updated, emptied, fresh } = fillSlices(slices, all, 3, () => false);
      slices = [
        ...slices
          .filter((old) => !emptied.includes(old))
          .map((old) => ({ ...old, endpoints: updated.get(old) ?? old.endpoints ?? [] })),
        ...fresh.map((endpoints, i) => ({ ...slice(`${round}-${i}`, ""), endpoints })),
      ];
      const held = slices
        .flatMap((one) => (one.endpoints ?? []).map(({ addresses }) => addresses[0]))
        .sort();
      assert.equal(held.join(""), wanted);
      assert.ok(slices.every((one) => one.endpoints!.length <= 3 && one.endpoints!.length > 0));
    }
  });
});
