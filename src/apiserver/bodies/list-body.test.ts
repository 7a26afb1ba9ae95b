import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { SystemClock } from "../../base/system-clock.ts";
import { Turns } from "../../base/turns.ts";
import { isByteSource } from "../../wire/http/byte-source.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { ObjectVersion, encodeObject } from "../registry/object-version.ts";
import type { VersionCursor } from "../registry/version-cursor.ts";
import { listBody } from "./list-body.ts";

/** Objects that a selector looks at, of which it wants one in 64. */
const OBJECTS = 64 * 200;
/** What looking at one costs, ms. */
const LOOK_MS = 0.0125;

describe("listBody", () => {
  it("a slice is over in time, however few of those looked at are wanted", () => {
    let nowMs = 0;
    const clock: Clock = {
      now: () => nowMs,
      monotonic: () => nowMs,
      after: () => ({ cancel: () => {} }),
    };
    const metadata = { name: "a", namespace: "b" };
    const value = encodeObject({ kind: "ConfigMap", apiVersion: "v1", metadata });
    let at = 0;
    const cursor: VersionCursor = {
      get isDone() {
        return at === OBJECTS;
      },
      next(max) {
        const from = at;
        at = Math.min(OBJECTS, at + max);
        nowMs += (at - from) * LOOK_MS;
        return [new ObjectVersion(`b/a-${from}`, 1, value)];
      },
    };
    const body = listBody("ConfigMap", "v1", { resourceVersion: "1" }, cursor, new Turns(clock));
    assert.ok(isByteSource(body), "all in one slice");
    assert.ok(nowMs < 6, `${nowMs} ms until the first piece`);
  });

  it("a long list begins with little, for readers that never take more", () => {
    const metadata = { name: "a", namespace: "b", uid: "c" };
    const data = { text: "x".repeat(10_000) };
    const value = encodeObject({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata,
      data,
    } as KubeObject);
    let left = 100;
    const cursor: VersionCursor = {
      get isDone() {
        return left === 0;
      },
      next(max) {
        const count = Math.min(left, max);
        left -= count;
        return Array.from({ length: count }, () => new ObjectVersion("b/a", 1, value));
      },
    };
    const turns = new Turns(new SystemClock());
    const body = listBody("ConfigMap", "v1", { resourceVersion: "1" }, cursor, turns);
    assert.ok(isByteSource(body));
    const sizes: number[] = [];
    for (let piece = body.read(); piece; piece = body.read()) sizes.push(piece.length);
    const [first, second] = sizes.map((bytes) => Math.floor(bytes / data.text.length));
    assert.deepEqual([first, second], [13, 26], `${sizes.join()}`);
  });
});
