import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../../gen/types.ts";
import { resizeVerdicts } from "./resize-verdicts.ts";

const NODE = { cpu: "4", memory: "4Gi", pods: "10" };

/** `a 500m 100Mi`: a Pod with these requests; `!` behind: limits too; `p9`: its priority; `since 3`: waiting since 3 s. */
function pod(text: string): V1Pod {
  const [name = "", cpu = "0", memory = "0", ...rest] = text.trim().split(" ");
  const requests = { cpu, memory };
  const priority = rest.find((word) => word.startsWith("p"))?.slice(1);
  const since = rest.includes("since") ? rest[rest.indexOf("since") + 1] : undefined;
  return {
    metadata: { name, uid: name },
    spec: {
      containers: [
        {
          name: "app",
          resources: rest.includes("!") ? { requests, limits: requests } : { requests },
        },
      ],
      ...(priority === undefined ? {} : { priority: Number(priority) }),
    },
    status: since
      ? {
          conditions: [
            {
              type: "PodResizePending",
              status: "True",
              lastTransitionTime: `2026-01-01T00:00:0${since}Z`,
            },
          ],
        }
      : {},
  };
}

interface Case {
  readonly active: string;
  readonly wanted: string;
  readonly verdicts: string;
}

const cases: Readonly<Record<string, Case>> = {
  "there is room": { active: "a 1 1Gi", wanted: "a 2 1Gi", verdicts: "a granted" },
  "its own old size is not in the way": {
    active: "a 3 1Gi",
    wanted: "a 4 1Gi",
    verdicts: "a granted",
  },
  "others have it": {
    active: "a 1 1Gi | b 2 1Gi",
    wanted: "a 3 1Gi",
    verdicts:
      "a Deferred Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
  },
  "no node of this size could": {
    active: "a 1 1Gi",
    wanted: "a 5 1Gi",
    verdicts: "a Infeasible Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  },
  "memory is told first": {
    active: "a 1 1Gi",
    wanted: "a 5 5Gi",
    verdicts:
      "a Infeasible Node didn't have enough capacity: memory, requested: 5368709120, capacity: 4294967296",
  },
  "what one gives back another gets": {
    active: "a 1 1Gi | b 3 1Gi",
    wanted: "a 3 1Gi | b 1 1Gi",
    verdicts: "b granted | a granted",
  },
  "the higher priority first": {
    active: "a 1 1Gi | b 1 1Gi",
    wanted: "a 3 1Gi | b 3 1Gi p9",
    verdicts:
      "b granted | a Deferred Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
  },
  "then the firmer promise": {
    active: "a 1 1Gi | b 1 1Gi !",
    wanted: "a 3 1Gi | b 3 1Gi !",
    verdicts:
      "b granted | a Deferred Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
  },
  "then who waits longest": {
    active: "a 1 1Gi | b 1 1Gi | c 1 1Gi",
    wanted: "a 2 1Gi | b 2 1Gi since 5 | c 2 1Gi since 3",
    verdicts:
      "c granted | b Deferred Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000" +
      " | a Deferred Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
  },
};

describe("resizeVerdicts", () => {
  for (const [name, { active, wanted, verdicts }] of Object.entries(cases))
    it(name, () => {
      const present = active.split("|").map(pod);
      const requests = wanted
        .split("|")
        .map(pod)
        .map((one) => ({
          wanted: one,
          allocated: present.find(({ metadata }) => metadata?.uid === one.metadata?.uid)!,
        }));
      const found = [...resizeVerdicts(requests, present, NODE)].map(([uid, verdict]) =>
        verdict.kind === "granted" ? `${uid} granted` : `${uid} ${verdict.kind} ${verdict.message}`,
      );
      assert.equal(found.join(" | "), verdicts);
    });
});
