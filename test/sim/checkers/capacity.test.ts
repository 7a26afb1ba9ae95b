import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../../../src/gen/types.ts";
import { node, pod } from "../../support/builders.ts";
import type { RuntimeMoment } from "../world/history.ts";
import { capacity } from "./capacity.ts";
import { Story } from "./story.ts";

function wanting(name: string, cpu: string, memory: string, hostPort?: number): V1Pod {
  const ports = hostPort === undefined ? [] : [{ containerPort: 80, hostPort }];
  const resources = { requests: { cpu, memory } };
  return pod(name, { spec: { containers: [{ name: "app", image: "i", resources, ports }] } });
}

function bound(one: V1Pod): V1Pod {
  return { ...one, spec: { ...one.spec!, nodeName: "node" } };
}

/** A node of 4 cores, 8 Gi and ten Pods, to which the scheduler binds these Pods. */
function binding(...pods: readonly V1Pod[]): Story {
  const story = new Story();
  story.put("nodes", node());
  for (const one of pods) {
    story.put("pods", one);
    story.put("pods", bound(one));
  }
  return story;
}

const problems = (story: Story, runtimes: readonly RuntimeMoment[] = []): string =>
  capacity.check!(story.with({ runtimes })).join("; ");

describe("capacity checker", () => {
  it("is content with what fits", () => {
    assert.equal(problems(binding(wanting("a", "2", "4Gi"), wanting("b", "2", "4Gi", 80))), "");
  });

  it("tells of processors, memory, host ports and Pods that are given twice", () => {
    assert.match(
      problems(binding(wanting("a", "3", "1Gi"), wanting("b", "2", "1Gi"))),
      /cpuMillis 5000/,
    );
    assert.match(
      problems(binding(wanting("a", "1", "5Gi"), wanting("b", "1", "5Gi"))),
      /memoryBytes/,
    );
    assert.match(
      problems(binding(wanting("a", "1", "1Gi", 80), wanting("b", "1", "1Gi", 80))),
      /host port 80 twice/,
    );
    const many = Array.from({ length: 11 }, (_, i) => wanting(`p${i}`, "0", "0"));
    assert.match(problems(binding(...many)), /pods 11 of 10/);
  });

  it("does not count Pods that have ended, nor those that came with their node", () => {
    const ended = binding(wanting("a", "3", "1Gi"));
    ended.put("pods", { ...bound(wanting("a", "3", "1Gi")), status: { phase: "Failed" } });
    ended.put("pods", wanting("b", "3", "1Gi"));
    ended.put("pods", bound(wanting("b", "3", "1Gi")));
    assert.equal(problems(ended), "");
    const direct = binding();
    direct.put("pods", bound(wanting("a", "3", "1Gi")));
    direct.put("pods", wanting("b", "3", "1Gi"));
    direct.put("pods", bound(wanting("b", "3", "1Gi")));
    assert.equal(problems(direct), "");
  });

  it("tells of containers that run together and do not fit", () => {
    const story = binding();
    for (const name of ["a", "b"]) story.put("pods", bound(wanting(name, "3", "1Gi")));
    const running = ["a", "b"].map((name) => ({
      ...{
        node: "node",
        podUid: `uid-of-${name}`,
        namespace: "default",
        pod: name,
        container: "app",
      },
    }));
    const moment = { atMs: 0, revision: 3, running, sandboxes: [] };
    assert.match(problems(story, [moment]), /containers of node at 3: cpuMillis 6000 of 4000/);
    assert.equal(problems(story, [{ ...moment, running: running.slice(0, 1) }]), "");
  });
});
