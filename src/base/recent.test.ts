import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Recent, remembered, rememberedOnReturn } from "./recent.ts";

describe("Recent", () => {
  it("keeps at least the last entriesMax entries, and at most twice as many", () => {
    const recent = new Recent<number, string>(3);
    for (let key = 1; key <= 20; key++) {
      recent.set(key, `v${key}`);
      for (let known = Math.max(1, key - 2); known <= key; known++)
        assert.equal(recent.get(known), `v${known}`);
    }
    const kept = Array.from({ length: 20 }, (_, at) => at + 1).filter((key) => recent.get(key));
    assert.ok(kept.length <= 6, String(kept));
  });

  it("keeps what is used, however much else comes", () => {
    const recent = new Recent<number, string>(4);
    recent.set(0, "used");
    for (let key = 1; key < 100; key++) {
      recent.set(key, "once");
      assert.equal(recent.get(0), "used");
    }
  });

  it("forgets all when cleared", () => {
    const recent = new Recent<number, string>(1);
    recent.set(1, "a");
    recent.set(2, "b");
    recent.clear();
    assert.deepEqual([recent.get(1), recent.get(2)], [undefined, undefined]);
  });
});

describe("remembered", () => {
  it("makes once for one object, and anew for an equal one", () => {
    let calls = 0;
    const size = remembered(8, (items: readonly number[]) => ({
      size: items.length,
      call: ++calls,
    }));
    const items = [1, 2];
    assert.equal(size(items), size(items));
    assert.deepEqual(size([1, 2]), { size: 2, call: 2 });
  });
});

describe("rememberedOnReturn", () => {
  it("keeps what comes again, however many come once meanwhile", () => {
    let made = 0;
    const make = rememberedOnReturn(4, () => ++made);
    const [again, other] = [{}, {}];
    assert.deepEqual([make(again), make(again), make(again)], [1, 2, 2]);
    for (let i = 0; i < 100; i++) {
      make({});
      assert.equal(make(again), 2);
    }
    assert.equal(make(other), 103);
  });

  it("keeps nothing large, however often it comes", () => {
    let made = 0;
    const make = rememberedOnReturn(4, () => ++made);
    const large = { text: "x".repeat(1e6) };
    assert.deepEqual([make(large), make(large), make(large)], [1, 2, 3]);
  });
});
