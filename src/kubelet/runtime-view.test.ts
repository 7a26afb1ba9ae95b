import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RuntimeView, type RuntimeSource } from "./runtime-view.ts";
import type { Step } from "./plan/step.ts";
import {
  emptyRuntime,
  type ContainerState,
  type PodRuntime,
  type SandboxState,
} from "./runtime/pod-runtime.ts";

const sandbox = (id: string): SandboxState => ({
  id,
  attempt: 0,
  isReady: true,
  createdAt: 1,
  ips: [],
});
const container = (id: string, state: ContainerState["state"]): ContainerState => ({
  id,
  name: id,
  sandboxId: "box",
  restartCount: 0,
  state,
  createdAt: 1,
  startedAt: 1,
  finishedAt: 0,
  exitCode: 0,
  reason: "",
  message: "",
  image: "i",
  imageId: "i",
  hash: "",
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

  it("asks after a step for what the step was about alone", async () => {
    const { view, asked } = await viewOf(["a", "b"], ["box", "old"]);
    //    step                                              asked for        left
    const rows: [Step, string, string][] = [
      [kill("a"), "container a", "a exited, b running | box, old"],
      [kill("b"), "container b", "a exited, b exited | box, old"],
      [{ kind: "stopSandbox", id: "box" }, "sandbox box", "a exited, b exited | box ended, old"],
      [{ kind: "removeContainer", id: "a" }, "", "b exited | box ended, old"],
      [{ kind: "removeSandbox", id: "old" }, "", "b exited | box ended"],
      [{ kind: "removeSandbox", id: "box" }, "everything", "a running, b running | box, old"],
    ];
    for (const [step, question, left] of rows) {
      asked.length = 0;
      await view.readAfter(step);
      assert.equal(asked.join(), question, step.kind);
      assert.equal(summary(view.runtime), left, step.kind);
    }
  });

  it("reads everything when containers end with their sandbox", async () => {
    const { view, asked } = await viewOf(["a"], ["box"]);
    asked.length = 0;
    await view.readAfter({ kind: "stopSandbox", id: "box" });
    assert.deepEqual(asked, ["everything"]);
  });

  it("does not take an older answer for a return to life", async () => {
    const { view, source } = await viewOf(["a"], ["box"]);
    await view.readAfter(kill("a"));
    await view.readAfter({ kind: "stopSandbox", id: "box" });
    const ended = "a exited | box ended";
    assert.equal(summary(view.runtime), ended);
    source.readContainer = async (_uid, id) => container(id, "running");
    source.readSandbox = async (id) => sandbox(id);
    await view.readAfter(kill("a"));
    await view.readAfter({ kind: "stopSandbox", id: "box" });
    assert.equal(summary(view.runtime), ended);
  });
});

const kill = (id: string): Step => ({
  kind: "killContainer",
  id,
  container: id,
  graceSeconds: 30,
  message: "",
  runsPreStop: false,
});

function summary({ containers, sandboxes }: PodRuntime): string {
  const of = (id: string, isAlive: boolean, word: string): string =>
    isAlive ? id : `${id} ${word}`;
  const boxes = sandboxes.map(({ id, isReady }) => of(id, isReady, "ended")).sort();
  return `${containers
    .map(({ id, state }) => `${id} ${state}`)
    .sort()
    .join(", ")} | ${boxes.join(", ")}`;
}

/** A view of running containers; whatever is asked for alone has ended. */
async function viewOf(containers: readonly string[], sandboxes: readonly string[]) {
  const asked: string[] = [];
  const source: RuntimeSource = {
    read: async () => {
      asked.push("everything");
      return {
        containers: containers.map((id) => container(id, "running")),
        sandboxes: sandboxes.map(sandbox),
      };
    },
    readSandbox: async (id) => {
      asked.push(`sandbox ${id}`);
      return { ...sandbox(id), isReady: false };
    },
    readContainer: async (_uid, id) => {
      asked.push(`container ${id}`);
      return container(id, "exited");
    },
  };
  const view = new RuntimeView(source, "u", () => {});
  await view.refresh();
  return { view, asked, source };
}
