import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Container, V1Pod, V1Volume } from "../../gen/types.ts";
import type { ContainerState, PodRuntime } from "../runtime/pod-runtime.ts";
import { freshMemory, type ObservedPod, type PodMemory } from "./observed.ts";
import { planPod } from "./plan-pod.ts";
import type { Step } from "./step.ts";

const NOW = 1_000_000;
const DONE = { kind: "done", value: "" } as const;

interface Case {
  /** `app i/first s/proxy`: app, init and sidecar containers. Default: `app`. */
  readonly spec?: string;
  readonly policy?: string;
  /** `+`: ready, `-`: not. Default `+`. */
  readonly sandbox?: "+" | "-" | "";
  /** `app running | first exited 0 | app exited 3 -5s` (ended 5 s ago). */
  readonly have?: string;
  readonly memory?: Partial<PodMemory>;
  readonly busy?: readonly string[];
  readonly isGone?: boolean;
  readonly deleted?: number;
  readonly deadline?: number;
  readonly probes?: string;
  readonly volumes?: readonly V1Volume[];
}

function containers(
  text: string,
): Pick<NonNullable<V1Pod["spec"]>, "containers" | "initContainers"> {
  const words = text.split(" ");
  const of = (name: string, extra: Partial<V1Container> = {}): V1Container => ({
    name,
    image: "i",
    ...extra,
  });
  return {
    containers: words.filter((word) => !word.includes("/")).map((name) => of(name)),
    initContainers: words
      .filter((word) => word.includes("/"))
      .map((word) => of(word.slice(2), word.startsWith("s/") ? { restartPolicy: "Always" } : {})),
  };
}

function state(text: string, index: number): ContainerState {
  const [name = "", what = "", code = "0", ago = "-0s"] = text.trim().split(" ");
  const seconds = Number(ago.slice(1, -1));
  return {
    id: `${name}${index}`,
    name,
    sandboxId: "box",
    restartCount: 0,
    state: what as ContainerState["state"],
    createdAt: NOW - 60_000,
    startedAt: NOW - 60_000,
    finishedAt: what === "exited" ? NOW - seconds * 1000 : 0,
    exitCode: Number(code),
    reason: "Error",
    message: "",
    image: "i",
    imageId: "i",
    hash: "",
  };
}

function observe(row: Case): ObservedPod {
  const { spec = "app", policy = "Always", sandbox = "+", have = "", memory = {}, busy = [] } = row;
  const box = { id: "box", attempt: 0, isReady: sandbox === "+", createdAt: 1, ips: ["10.0.0.1"] };
  const runtime: PodRuntime = {
    sandboxes: sandbox === "" ? [] : [box],
    containers: have === "" ? [] : have.split("|").map(state),
  };
  return {
    pod: {
      metadata: {
        name: "p",
        namespace: "n",
        uid: "u",
        ...(row.deleted === undefined
          ? {}
          : { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: row.deleted }),
      },
      spec: {
        ...containers(spec),
        restartPolicy: policy,
        ...(row.volumes === undefined ? {} : { volumes: row.volumes }),
        ...(row.deadline === undefined ? {} : { activeDeadlineSeconds: row.deadline }),
      },
    },
    isGone: row.isGone ?? false,
    runtime,
    memory: { ...freshMemory(NOW - 60_000), volumes: DONE, ...memory },
    busy: new Set(busy),
    node: { name: "node", ips: ["10.1.0.1"] },
  };
}

function show(step: Step): string {
  switch (step.kind) {
    case "ensureImage":
      return `image ${step.container}`;
    case "startContainer":
      return `start ${step.container}#${step.restartCount}`;
    case "killContainer":
      return `kill ${step.container} ${step.graceSeconds}s`;
    case "createSandbox":
      return `sandbox#${step.attempt}`;
    case "prepareVolumes":
      return "volumes";
    case "removeContainer":
    case "removeSandbox":
    case "stopSandbox":
      return `${step.kind} ${step.id}`;
    default:
      return step.kind;
  }
}

const pulled = (...names: string[]): Partial<PodMemory> => ({
  images: new Map(names.map((name) => [name, DONE])),
});
const ending = (reason: "deleted" | "finished" | "gone", secondsAgo = 0): Partial<PodMemory> => ({
  termination: { since: NOW - secondsAgo * 1000, reason },
});

function row(name: string, given: Case, expected: string, wakeInMs?: number): void {
  it(name, () => {
    const plan = planPod(observe(given), NOW);
    const steps = plan.terminate ? `end: ${plan.terminate}` : plan.steps.map(show).join(", ");
    assert.equal(plan.isDone ? `${steps}done` : steps, expected);
    if (wakeInMs !== undefined) assert.equal(plan.wakeAt, NOW + wakeInMs);
  });
}

describe("planPod", () => {
  describe("start", () => {
    row(
      "everything at once",
      { sandbox: "", memory: { volumes: { kind: "none" } } },
      "volumes, sandbox#0, image app",
    );
    row("not again what is under way", { sandbox: "", busy: ["sandbox", "image:app"] }, "");
    row(
      "nothing starts without its volumes",
      { memory: { ...pulled("app"), volumes: { kind: "none" } } },
      "volumes",
    );
    row(
      "a claim that is waited for holds up the sandbox, too",
      {
        sandbox: "",
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }],
        memory: { volumes: { kind: "none" } },
      },
      "volumes, image app",
    );
    row("with all there", { memory: pulled("app") }, "start app#0");
    row(
      "in order: the second waits for the first's image",
      { spec: "a b", memory: pulled("b") },
      "image a",
    );
    row(
      "a failed pull does not hold up the next container",
      {
        spec: "a b",
        memory: {
          images: new Map([
            [
              "a",
              {
                kind: "failed",
                reason: "ErrImagePull",
                message: "",
                at: NOW - 5000,
                retryAt: NOW + 5000,
              },
            ],
          ]),
        },
      },
      "image b",
      5000,
    );
    row("at rest", { have: "app running" }, "");
    row(
      "one that was made and never started gives its place to the next attempt",
      { have: "app created", memory: pulled("app") },
      "start app#1",
    );
    row(
      "and goes when that is there",
      { have: "app running | app created" },
      "removeContainer app1",
    );
    row(
      "a sandbox that failed waits",
      {
        sandbox: "",
        memory: {
          ...pulled("app"),
          sandbox: { kind: "failed", reason: "", message: "", at: NOW, retryAt: NOW + 1000 },
        },
      },
      "",
      1000,
    );
  });

  describe("init containers", () => {
    row("one after the other", { spec: "i/one i/two app" }, "image one");
    row(
      "the next when one has succeeded",
      { spec: "i/one i/two app", have: "one exited 0" },
      "image two",
    );
    row("the app when all have", { spec: "i/one app", have: "one exited 0" }, "image app");
    row(
      "a failed one again",
      { spec: "i/one app", have: "one exited 1", memory: pulled("one") },
      "start one#1",
    );
    row(
      "a failed one never, where the policy says so",
      { spec: "i/one app", policy: "Never", have: "one exited 1" },
      "end: finished",
    );
    row(
      "a sidecar lets the next go once it runs",
      { spec: "s/proxy i/one app", have: "proxy running" },
      "image one",
    );
    row(
      "a sidecar that ended comes back beside the app",
      {
        spec: "s/proxy app",
        have: "app running | proxy exited 0",
        memory: pulled("proxy"),
      },
      "start proxy#1",
    );
  });

  describe("restart", () => {
    row("at once the first time", { have: "app exited 1", memory: pulled("app") }, "start app#1");
    row(
      "after a back-off the next time",
      {
        have: "app exited 1 -4s",
        memory: {
          ...pulled("app"),
          crashes: new Map([["app", { delayMs: 10_000, updatedAt: NOW - 5000 }]]),
        },
      },
      "",
      6000,
    );
    row(
      "OnFailure: not after success",
      { policy: "OnFailure", have: "app exited 0" },
      "end: finished",
    );
    row(
      "OnFailure: after failure",
      { policy: "OnFailure", have: "app exited 2", memory: pulled("app") },
      "start app#1",
    );
    row("Never", { policy: "Never", have: "app exited 2" }, "end: finished");
    row(
      "one of two has ended for ever",
      { policy: "Never", spec: "a b", have: "a exited 0 | b running" },
      "",
    );
    row(
      "a lost sandbox is made anew",
      { sandbox: "-", have: "app exited 255" },
      "sandbox#1, image app",
    );
    row(
      "what lives in a lost sandbox dies first",
      { sandbox: "-", have: "app running" },
      "kill app 30s",
    );
    row(
      "dead containers: one of each name is kept",
      {
        have: "app running | app exited 1 | app exited 1",
      },
      "removeContainer app2",
    );
  });

  describe("probes", () => {
    const failed = (kind: string): Partial<PodMemory> => ({
      probes: new Map([["app0", { [kind]: false }]]),
    });
    row("not alive: killed", { have: "app running", memory: failed("liveness") }, "kill app 30s");
    row(
      "never started: killed",
      { have: "app running", memory: failed("startup") },
      "kill app 30s",
    );
    row("not ready: let be", { have: "app running", memory: failed("readiness") }, "");
  });

  describe("end", () => {
    row("deleted", { deleted: 30, have: "app running" }, "end: deleted");
    row("past its deadline", { deadline: 60, have: "app running" }, "end: deadline");
    row("before its deadline", { deadline: 90, have: "app running" }, "", 30_000);
    row(
      "containers first",
      { deleted: 30, have: "app running", memory: ending("deleted") },
      "kill app 30s",
    );
    row(
      "what is left of the grace",
      { deleted: 30, have: "app running", memory: ending("deleted", 12) },
      "kill app 18s",
    );
    row(
      "a kill under way is not repeated",
      { deleted: 30, have: "app running", memory: ending("deleted"), busy: ["kill:app0"] },
      "",
    );
    row(
      "force does not wait for it",
      { isGone: true, have: "app running", memory: ending("deleted"), busy: ["kill:app0"] },
      "kill app 1s",
    );
    row(
      "sidecars last, in reverse order",
      {
        deleted: 30,
        spec: "s/one s/two app",
        have: "one running | two running | app exited 0",
        memory: ending("deleted", 5),
      },
      "kill two 25s",
    );
    row(
      "then sandbox and volumes side by side",
      { deleted: 30, have: "app exited 0", memory: ending("deleted") },
      "stopSandbox box, tearDown",
    );
    row(
      "not while a container is being made",
      { deleted: 30, memory: ending("deleted"), busy: ["start"] },
      "",
    );
    row(
      "then the object",
      {
        deleted: 30,
        sandbox: "-",
        have: "app exited 0",
        memory: { ...ending("deleted"), isTornDown: true },
      },
      "finish",
    );
    row(
      "which is asked for once",
      {
        deleted: 30,
        sandbox: "-",
        memory: { ...ending("deleted"), isTornDown: true, isDeleteSent: true },
      },
      "",
    );
    row(
      "remains go with the object",
      {
        isGone: true,
        sandbox: "-",
        have: "app exited 0",
        memory: { ...ending("gone"), isTornDown: true },
      },
      "removeContainer app0",
    );
    row(
      "and then the sandbox",
      { isGone: true, sandbox: "-", memory: { ...ending("gone"), isTornDown: true } },
      "removeSandbox box",
    );
    row(
      "nothing is left",
      { isGone: true, sandbox: "", memory: { ...ending("gone"), isTornDown: true } },
      "done",
    );
    row(
      "a finished Pod keeps its dead containers",
      {
        sandbox: "-",
        policy: "Never",
        have: "app exited 0",
        memory: { ...ending("finished"), isTornDown: true },
      },
      "",
    );
  });
});
