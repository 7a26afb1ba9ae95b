import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import { DEFAULT_PLUGINS } from "./plugins/all.ts";
import { backoffMs, SchedulingQueue } from "./queue.ts";

const pod = (name: string, priority = 0): V1Pod => ({
  metadata: { name, uid: name },
  spec: { containers: [], priority },
});
const freed = { kind: "pod-freed", pod: pod("gone") } as const;
const node: V1Node = { metadata: { name: "n" }, status: { allocatable: { cpu: "1" } } };

function setUp(): { clock: VirtualClock; queue: SchedulingQueue; names: () => string } {
  const clock = new VirtualClock();
  const queue = new SchedulingQueue(clock, DEFAULT_PLUGINS, () => {});
  const names = (): string => {
    const found: string[] = [];
    for (let next = queue.pop(); next; next = queue.pop()) found.push(next.metadata?.name ?? "");
    return found.join(" ");
  };
  return { clock, queue, names };
}

describe("SchedulingQueue", () => {
  it("gives the highest priority first, then the oldest", () => {
    const { queue, names } = setUp();
    [pod("a"), pod("b", 10), pod("c"), pod("d", 10)].forEach((each) => queue.add(each));
    assert.equal(names(), "b d a c");
  });

  it("holds a refused Pod until a change that can help, and then until its backoff is over", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    queue.refuse(queue.pop()!, new Set(["NodeAffinity"]));
    queue.wake(freed);
    await clock.advance(60_000);
    assert.equal(names(), "", "a freed node does not help a selector");
    queue.wake({ kind: "node", node, old: undefined });
    assert.equal(names(), "a");
  });

  it("waits out the backoff", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    queue.refuse(queue.pop()!, new Set(["NodeResourcesFit"]));
    queue.wake(freed);
    assert.equal(names(), "");
    await clock.advance(999);
    assert.equal(names(), "");
    await clock.advance(1);
    assert.equal(names(), "a");
  });

  it("waits no longer when the wall clock is set back meanwhile", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    queue.refuse(queue.pop()!, new Set(["NodeResourcesFit"]));
    clock.set(-3 * 3_600_000);
    queue.wake(freed);
    await clock.advance(1000);
    assert.equal(names(), "a");
  });

  it("does not lose a change that comes while the Pod is being decided on", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    const deciding = queue.pop()!;
    queue.wake(freed);
    queue.refuse(deciding, new Set(["NodeResourcesFit"]));
    await clock.advance(1_000);
    assert.equal(names(), "a");
  });

  it("tries again after five minutes, even if nothing changed", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    queue.refuse(queue.pop()!, new Set(["NodeName"]));
    await clock.advance(5 * 60_000);
    assert.equal(names(), "a");
  });

  it("forgets a Pod that is gone", async () => {
    const { clock, queue, names } = setUp();
    queue.add(pod("a"));
    queue.add(pod("b"));
    queue.remove(pod("a"));
    assert.equal(names(), "b");
    queue.remove(pod("b"));
    await clock.advance(10 * 60_000);
    assert.equal(names(), "");
    assert.equal(queue.size, 0);
  });
});

describe("backoffMs", () => {
  it("doubles from one to ten seconds", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 50].map(backoffMs),
      [1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
    );
  });
});
