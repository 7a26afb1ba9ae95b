import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Node } from "../../api/core/node.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import { plan, secondsOf, stepOf, TTL_ANNOTATION, ttlLoop } from "./ttl.ts";

describe("ttl", () => {
  //            from step, nodes, seconds
  const rows: readonly (readonly [number, number, number])[] = [
    [0, 1, 0],
    [0, 100, 0],
    [0, 101, 15],
    [1, 95, 15], // it was larger
    [1, 89, 0],
    [1, 501, 30],
    [0, 5000, 300],
    [4, 1799, 60],
    [4, 0, 0],
  ];
  for (const [from, count, seconds] of rows)
    it(`${count} nodes after step ${from}: ${seconds} s`, () =>
      assert.equal(secondsOf(stepOf(from, count)), seconds));

  const annotated = (text: string): Node =>
    node("n", { metadata: { uid: "u", annotations: { [TTL_ANNOTATION]: text, other: "x" } } });

  it("writes the annotation where it is absent or another, and nothing else", () => {
    for (const wrong of [node("n"), annotated("15"), annotated("soon")]) {
      const [write] = plan(wrong, 0).writes!;
      assert.deepEqual(write?.verb === "patch" && write.patch, {
        metadata: { annotations: { [TTL_ANNOTATION]: "0" } },
      });
    }
    assert.deepEqual(plan(annotated("0"), 0), {});
  });

  it("follows the number of nodes; what is right already is no work", () => {
    const cache = new StaticCache();
    const loop = ttlLoop(cache as unknown as Cache);
    const tell = (name: string, object: Node | undefined): readonly string[] =>
      loop.keysOf({ kind: Node, key: { namespace: "", name }, old: undefined, object } as never);
    const right = annotated("0");
    cache.put(Node, right);
    assert.deepEqual(tell("n", right), []);
    for (let index = 0; index < 100; index++) tell(`m${index}`, node(`m${index}`));
    assert.deepEqual(tell("n", right), ["n"]);
    const [write] = loop.decide(keyOf(right).name, 0)!.plan.writes!;
    assert.match(JSON.stringify(write), /"15"/);
    for (let index = 0; index < 12; index++) tell(`m${index}`, undefined);
    assert.deepEqual(tell("n", right), []);
  });
});
