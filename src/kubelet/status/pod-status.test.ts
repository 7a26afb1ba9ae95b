import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1ContainerState, V1ContainerStatus, V1Pod } from "../../gen/types.ts";
import { freshMemory, type ObservedPod } from "../plan/observed.ts";
import { emptyRuntime, type ContainerState } from "../runtime/pod-runtime.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import { phaseOf } from "./phase.ts";
import { podStatus } from "./pod-status.ts";

const NOW = Date.UTC(2026, 0, 1);

function state(word: string): V1ContainerState {
  if (word === "running") return { running: {} };
  if (word === "waiting") return { waiting: {} };
  return { terminated: { exitCode: Number(word) } };
}

function status(name: string, word: string): V1ContainerStatus {
  const base = { name, image: "", imageID: "", ready: false, restartCount: 0 };
  const [now = "", last] = word.split("<");
  return {
    ...base,
    state: state(now),
    started: now === "running",
    ...(last === undefined ? {} : { lastState: state(last) }),
  };
}

describe("phaseOf", () => {
  //  policy       init containers   containers           ending  phase
  const rows: readonly [string, string, string, boolean, string][] = [
    ["Always", "", "waiting", false, "Pending"],
    ["Always", "", "running", false, "Running"],
    ["Always", "", "running waiting", false, "Pending"],
    ["Always", "", "waiting<1", false, "Running"],
    ["Always", "", "0", false, "Running"],
    ["OnFailure", "", "0 0", false, "Succeeded"],
    ["OnFailure", "", "0 1", false, "Running"],
    ["Never", "", "0 1", false, "Failed"],
    ["Never", "", "0 running", false, "Running"],
    ["Always", "running", "waiting", false, "Pending"],
    ["Always", "waiting<1", "waiting", false, "Pending"],
    ["Never", "1", "waiting", false, "Failed"],
    ["Always", "", "0", true, "Succeeded"],
    ["Always", "", "137", true, "Failed"],
    ["Always", "", "waiting", true, "Failed"],
  ];
  for (const [policy, inits, containers, isEnding, expected] of rows)
    it(`${policy} [${inits}] [${containers}]${isEnding ? " ending" : ""}: ${expected}`, () => {
      const words = (text: string): string[] => text.split(" ").filter(Boolean);
      const of = (prefix: string, text: string): V1ContainerStatus[] =>
        words(text).map((word, index) => status(`${prefix}${index}`, word));
      const named = (prefix: string, text: string) =>
        words(text).map((_, index) => ({ name: `${prefix}${index}`, image: "i" }));
      const pod: V1Pod = {
        spec: {
          restartPolicy: policy,
          initContainers: named("i", inits),
          containers: named("c", containers),
        },
      };
      assert.equal(phaseOf(pod, of("i", inits), of("c", containers), isEnding), expected);
    });
});

describe("podStatus", () => {
  const observed = (pod: V1Pod): ObservedPod => ({
    pod,
    isGone: false,
    runtime: emptyRuntime,
    memory: freshMemory(NOW),
    busy: new Set(),
    node: { name: "n", ips: ["10.1.0.1"] },
  });
  const pod: V1Pod = {
    metadata: { name: "p", namespace: "ns", uid: "u", generation: 1 },
    spec: {
      initContainers: [{ name: "first", image: "i" }],
      containers: [
        { name: "a", image: "i" },
        { name: "b", image: "i" },
      ],
      readinessGates: [{ conditionType: "example.org/ok" }],
    },
    status: { conditions: [{ type: "DisruptionTarget", status: "True" }] },
  };

  it("words conditions as upstream does, and keeps those of others", () => {
    const { conditions = [] } = podStatus(observed(pod), NOW);
    assert.deepEqual(
      conditions.map(({ type, status: is, reason, message }) =>
        [type, is, reason, message].filter(Boolean).join(" "),
      ),
      [
        "DisruptionTarget True",
        "PodReadyToStartContainers False",
        "Initialized False ContainersNotInitialized containers with incomplete status: [first]",
        "Ready False ContainersNotReady containers with unready status: [a b]",
        "ContainersReady False ContainersNotReady containers with unready status: [a b]",
        "PodScheduled True",
      ],
    );
  });

  it("keeps what others write, and tells what the runtime tells", () => {
    const claims = [{ name: "gpu", resourceClaimName: "gpu-1" }];
    const debugged: V1Pod = {
      metadata: { generation: 4 },
      spec: {
        containers: [{ name: "a", image: "i" }],
        ephemeralContainers: [{ name: "debug", image: "i" }],
      },
      status: { resourceClaimStatuses: claims },
    };
    const running: ContainerState = {
      ...{ id: "1", name: "a", sandboxId: "s", restartCount: 0, state: "running" },
      ...{ createdAt: 1, startedAt: 1, finishedAt: 0, exitCode: 0, reason: "", message: "" },
      ...{ image: "docker.io/library/i:1", imageId: "sha256:1", hash: "" },
      user: { uid: 1000, gid: 2000, supplementalGroups: [3000] },
    };
    const runtime = { sandboxes: [], containers: [running] };
    const given = podStatus({ ...observed(debugged), runtime }, NOW);
    assert.deepEqual(given.resourceClaimStatuses, claims);
    assert.equal(given.observedGeneration, 4);
    const [app] = given.containerStatuses ?? [];
    assert.deepEqual(app?.user, { linux: { uid: 1000, gid: 2000, supplementalGroups: [3000] } });
    assert.deepEqual([app?.image, app?.imageID], ["docker.io/library/i:1", "sha256:1"]);
    assert.equal(app?.started, true);
    assert.equal("started" in given.ephemeralContainerStatuses![0]!, false);
  });

  it("a Pod has not ended while a container is being started, however it is to end", () => {
    const eviction = { message: "too much", graceSeconds: 0 };
    for (const [reason, extra] of [
      ["deleted", {}],
      ["evicted", { eviction }],
    ] as const) {
      const termination = { since: NOW, reason, ...extra };
      const ending = { ...observed(pod), memory: { ...freshMemory(NOW), termination } };
      assert.equal(podStatus(ending, NOW).phase, "Failed", reason);
      const starting = podStatus({ ...ending, busy: new Set(["start"]) }, NOW);
      assert.deepEqual([starting.phase, starting.reason], ["Pending", undefined], reason);
    }
  });

  it("a Pod that has ended stays so", () => {
    const ended = { ...pod, status: { phase: "Failed", reason: "Evicted" } };
    const { phase, reason } = podStatus(observed(ended), NOW);
    assert.deepEqual([phase, reason], ["Failed", "Evicted"]);
  });

  it("the time of a transition moves with the status only", () => {
    const first = podStatus(observed(pod), NOW);
    const later = podStatus(observed({ ...pod, status: first }), NOW + 60_000);
    assert.ok(equalJson(first, later));
  });
});
