import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Container, V1ResourceRequirements } from "../../gen/types.ts";
import type { ContainerState } from "../runtime/pod-runtime.ts";
import { freshMemory, type ObservedPod, type PodMemory } from "./observed.ts";
import { planPod } from "./plan-pod.ts";
import type { ResourceUpdate } from "./step.ts";

const DONE = { kind: "done", value: "" } as const;

/** `100m/200m 1Gi/2Gi`: requests and limits of cpu and memory; `-`: none. */
function resources(text: string): V1ResourceRequirements {
  const amounts = text
    .trim()
    .split(" ")
    .map((part) => part.split("/"));
  const list = (index: number): Record<string, string> =>
    Object.fromEntries(
      ["cpu", "memory"].flatMap((name, i) => {
        const amount = amounts[i]?.[index];
        return amount === undefined || amount === "-" ? [] : [[name, amount]];
      }),
    );
  return { requests: list(0), limits: list(1) };
}

const RESTART = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];

interface Case {
  /** `app 100m/200m 1Gi/1Gi | side …`: what was granted; `!` behind a name: changes of memory need a restart. */
  readonly granted: string;
  /** What the containers were made with, in the same order; "" for one that does not run. */
  readonly made: string;
  readonly memory?: Partial<PodMemory>;
  readonly isSandboxed?: boolean;
  readonly busy?: readonly string[];
  readonly steps: string;
}

function observe({ granted, made, memory = {}, isSandboxed = true, busy = [] }: Case): ObservedPod {
  const containers = granted.split("|").map((text): V1Container => {
    const [name = "", ...rest] = text.trim().split(" ");
    return {
      name: name.replace("!", ""),
      image: "i",
      resources: resources(rest.join(" ")),
      ...(name.endsWith("!") ? { resizePolicy: RESTART } : {}),
    };
  });
  const states = made.split("|").flatMap((text, index): ContainerState[] =>
    text.trim() === ""
      ? []
      : [
          {
            id: `id-${containers[index]!.name}`,
            name: containers[index]!.name,
            sandboxId: "box",
            restartCount: 0,
            state: "running",
            createdAt: 1,
            startedAt: 1,
            finishedAt: 0,
            exitCode: 0,
            reason: "",
            message: "",
            image: "i",
            imageId: "i",
            hash: "",
            ...(text.trim() === "?" ? {} : { resources: resources(text) }),
          },
        ],
  );
  const box = { id: "box", attempt: 0, isReady: true, createdAt: 1, ips: [] };
  return {
    pod: { metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers } },
    isGone: false,
    runtime: { sandboxes: isSandboxed ? [box] : [], containers: states },
    memory: {
      ...freshMemory(0),
      volumes: DONE,
      images: new Map(containers.map(({ name }) => [name, DONE])),
      ...memory,
    },
    busy: new Set(busy),
    node: { name: "node", ips: [] },
  };
}

function show({ container, resources: { requests = {}, limits = {} } }: ResourceUpdate): string {
  const part = (name: string): string => `${requests[name] ?? "-"}/${limits[name] ?? "-"}`;
  return `${container} ${part("cpu")} ${part("memory")}`;
}

const cases: Readonly<Record<string, Case>> = {
  "nothing to do": { granted: "app 100m/200m 1Gi/1Gi", made: "100m/200m 1Gi/1Gi", steps: "" },
  "the same in other words": {
    granted: "app 0.1/200m 1Gi/1Gi",
    made: "100m/0.2 1024Mi/1Gi",
    steps: "",
  },
  "what the kernel cannot tell apart": { granted: "app 1m/5m -/-", made: "2m/10m -/-", steps: "" },
  "a container of whom the runtime does not know": {
    granted: "app 1/1 1Gi/1Gi",
    made: "?",
    steps: "",
  },
  "cpu alone": {
    granted: "app 200m/400m 1Gi/1Gi",
    made: "100m/200m 1Gi/1Gi",
    steps: "resize cpu: app 200m/400m 1Gi/1Gi",
  },
  "memory before cpu, each in its turn": {
    granted: "app 200m/400m 2Gi/2Gi",
    made: "100m/200m 1Gi/1Gi",
    steps: "resize memory: app 100m/200m 2Gi/2Gi cpu: app 200m/400m 2Gi/2Gi",
  },
  "less before more": {
    granted: "a 400m/400m -/- | b 100m/100m -/-",
    made: "200m/200m -/- | 300m/300m -/-",
    steps: "resize cpu: b 100m/100m -/-, a 400m/400m -/-",
  },
  "what was told before counts": {
    granted: "app 200m/400m -/-",
    made: "100m/200m -/-",
    memory: { actuated: new Map([["id-app", resources("200m/400m -/-")]]) },
    steps: "",
  },
  "the Pod's cgroup, where no container runs": {
    granted: "app 200m/400m -/-",
    made: "",
    memory: { resize: { granted: 2 } },
    steps: "resize#2",
  },
  "not before there is a sandbox": {
    granted: "app 200m/400m -/-",
    made: "",
    memory: { resize: { granted: 2 } },
    isSandboxed: false,
    steps: "createSandbox",
  },
  "who must restart ends first, and the others wait": {
    granted: "a! 1/1 2Gi/2Gi | b 2/2 1Gi/1Gi",
    made: "1/1 1Gi/1Gi | 1/1 1Gi/1Gi",
    memory: { resize: { granted: 2 } },
    steps: "kill a: Container a resize requires restart",
  },
  "then the others change": {
    granted: "a! 1/1 2Gi/2Gi | b 2/2 1Gi/1Gi",
    made: "| 1/1 1Gi/1Gi",
    memory: { resize: { granted: 2 } },
    steps: "resize#2 cpu: b 2/2 1Gi/1Gi",
  },
  "a policy for memory says nothing of cpu": {
    granted: "a! 2/2 1Gi/1Gi",
    made: "1/1 1Gi/1Gi",
    steps: "resize cpu: a 2/2 1Gi/1Gi",
  },
  "what cannot be done keeps nobody from starting": {
    granted: "a 1/1 1Gi/1Gi | b 1/1 1Gi/1Gi",
    made: "1/1 2Gi/2Gi |",
    memory: { resize: { error: "in use" } },
    steps: "resize memory: a 1/1 1Gi/1Gi; start b",
  },
};

describe("planPod, resources", () => {
  for (const [name, row] of Object.entries(cases))
    it(name, () => {
      const steps = planPod(observe(row), 1000).steps.map((step) => {
        if (step.kind === "killContainer") {
          assert.equal(step.isRestart, true);
          return `kill ${step.container}: ${step.message}`;
        }
        if (step.kind === "startContainer") return `start ${step.container}`;
        if (step.kind !== "resize") return step.kind;
        const list = (key: "memory" | "cpu"): string =>
          step[key].length > 0 ? ` ${key}: ${step[key].map(show).join(", ")}` : "";
        const number = step.generation === undefined ? "" : `#${step.generation}`;
        return `resize${number}${list("memory")}${list("cpu")}`;
      });
      assert.equal(steps.join("; "), row.steps);
    });
});
