import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import type { BodyTarget } from "./chunked-target.ts";
import { Untaken } from "./untaken.ts";

const never = (): Writable => new Writable({ write: () => {} });

describe("Untaken", () => {
  const of = (patienceMs: number) => {
    const cut: BodyTarget[] = [];
    const bounds = { ms: 60_000, bytesMax: 100, patienceMs };
    return { cut, untaken: new Untaken(bounds, (target) => void cut.push(target)) };
  };

  it("lets the ones go that have waited longest when all together are too many bytes", () => {
    const { cut, untaken } = of(0);
    const targets = [never(), never(), never(), never()] as const;
    for (const target of targets.slice(0, 2)) untaken.start(target, 40);
    assert.deepEqual(cut, []);
    untaken.start(targets[2], 40);
    assert.deepEqual(cut, targets.slice(0, 1));
    untaken.start(targets[3], 90);
    assert.deepEqual(cut, targets.slice(0, 3));
    untaken.close();
  });

  it("cuts nobody who has only begun to wait, until they are twice too many bytes", () => {
    const { cut, untaken } = of(30_000);
    const targets = [never(), never(), never(), never()] as const;
    for (const target of targets.slice(0, 2)) untaken.start(target, 90);
    assert.deepEqual(cut, []);
    for (const target of targets.slice(2)) untaken.start(target, 90);
    assert.deepEqual(cut, targets.slice(0, 2));
    untaken.close();
  });

  it("counts what is taken no more", () => {
    const { cut, untaken } = of(0);
    for (let count = 0; count < 50; count++) {
      const target = never();
      untaken.start(target, 90);
      untaken.start(target, 10);
      untaken.end(target);
      untaken.end(target);
    }
    assert.deepEqual(cut, []);
    untaken.close();
  });
});
