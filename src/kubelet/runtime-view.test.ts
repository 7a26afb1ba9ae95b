import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RuntimeView, type RuntimeSource } from "./runtime-view.ts";
import { emptyRuntime, type PodRuntime, type SandboxState } from "./runtime/pod-runtime.ts";

const sandbox = (id: string): SandboxState => ({
  id,
  attempt: 0,
  isReady: true,
  createdAt: 1,
  ips: [],
});
const having = (id: string): PodRuntime => ({ ...emptyRuntime, sandboxes: [sandbox(id)] });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A runtime whose answers come when a test says so. */
function slowSource() {
  const open: ((runtime: PodRuntime) => void)[] = [];
  const counts = { now: 0, most: 0 };
  const source: RuntimeSource = {
    read: async () => {
      counts.most = Math.max(counts.most, ++counts.now);
      const runtime = await new Promise<PodRuntime>((resolve) => open.push(resolve));
      counts.now--;
      return runtime;
    },
    readSandbox: async (id) => sandbox(id),
    readContainer: async () => undefined,
  };
  return { source, open, counts };
}

describe("RuntimeView", () => {
  it("shares one reading that begins after the one under way", async () => {
    const { source, open } = slowSource();
    const view = new RuntimeView(source, "u", () => {});
    const first = view.refresh();
    const [second, third] = [view.refresh(), view.refresh()];
    assert.equal(second, third);
    open[0]!(having("old"));
    await first;
    await turn();
    open[1]!(having("new"));
    await second;
    assert.equal(view.runtime.sandboxes[0]?.id, "new");
    assert.equal(open.length, 2);
  });

  it("never reads twice at a time, even when asked at the end of a reading", async () => {
    const { source, open, counts } = slowSource();
    const asked: Promise<void>[] = [];
    const view = new RuntimeView(source, "u", () => {});
    const first = view.refresh();
    asked.push(view.refresh());
    // Whoever waited for the first reading asks again as soon as it is over.
    for (let ticks = 0; ticks < 6; ticks++)
      asked.push(
        first.then(async () => {
          for (let i = 0; i < ticks; i++) await undefined;
          return view.refresh();
        }),
      );
    for (let answered = 0; answered < open.length; answered++) {
      open[answered]!(having(`reading ${answered + 1}`));
      await turn();
    }
    await Promise.all(asked);
    assert.equal(counts.most, 1);
    assert.equal(view.runtime.sandboxes[0]?.id, `reading ${open.length}`);
  });

  it("reads everything again when a whole reading began after a step's own", async () => {
    const { source, open } = slowSource();
    const view = new RuntimeView(source, "u", () => {});
    const own = view.readAfter({ kind: "createSandbox", attempt: 0 }, "box");
    const whole = view.refresh();
    open[0]!(emptyRuntime);
    await whole;
    await turn();
    open[1]!(having("box"));
    await own;
    assert.equal(view.runtime.sandboxes[0]?.id, "box");
  });
});
