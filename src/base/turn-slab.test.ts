import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextTurn } from "./next-turn.ts";
import { TurnSlab } from "./turn-slab.ts";

const buffersOf = (values: readonly Buffer[]): number =>
  new Set(values.map((value) => value.buffer)).size;

describe("turn slab", () => {
  it("what comes in one turn lies in few buffers, side by side", () => {
    const slab = new TurnSlab();
    const values = Array.from({ length: 64 }, (_, at) => slab.allocate(2000).fill(at));
    assert.ok(buffersOf(values) <= 7, `${buffersOf(values)} buffers`);
    for (const [at, value] of values.entries())
      assert.ok(
        value.every((byte) => byte === at),
        `${at}`,
      );
    const bytes = [...new Set(values.map(({ buffer }) => buffer))].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    );
    assert.ok(bytes < 2 * 64 * 2000, `${bytes} bytes`);
  });

  it("what comes in turns of its own, or is large, shares nothing", async () => {
    const slab = new TurnSlab();
    const values: Buffer[] = [];
    for (let at = 0; at < 10; at++) {
      values.push(slab.allocate(2000));
      await nextTurn();
    }
    const large = Array.from({ length: 10 }, () => slab.allocate(20_000));
    for (const value of [...values, ...large]) assert.equal(value.buffer.byteLength, value.length);
  });

  it("a turn does not go on where the last one ended", async () => {
    const slab = new TurnSlab();
    const first = Array.from({ length: 5 }, () => slab.allocate(1000));
    await nextTurn();
    const second = Array.from({ length: 5 }, () => slab.allocate(1000));
    assert.equal(buffersOf([...first, ...second]), buffersOf(first) + buffersOf(second));
  });
});
