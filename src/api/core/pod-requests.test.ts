import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1Container, V1ContainerStatus, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import {
  isResized,
  placedRequests,
  podLimits,
  podRequests,
  scoredRequests,
} from "./pod-requests.ts";
import { validatePodSpec } from "./pod-validation.ts";

type List = Readonly<Record<string, string>>;

function container(name: string, requests: List, limits: List = {}): V1Container {
  return { name, image: "i", resources: { requests, limits } };
}

/** `cpu 500 memory 0`, in thousandths and bytes. */
const told = (amounts: ReadonlyMap<string, number>): string =>
  [...amounts].map(([name, amount]) => `${name} ${amount}`).join(", ");

const MI = 1024 * 1024;

describe("requests of a whole Pod", () => {
  const whole = (resources: V1PodSpec["resources"], ...containers: V1Container[]): V1Pod =>
    pod("p", { spec: { containers, resources } as Partial<V1PodSpec> });

  it("go before the sum of its containers, resource by resource", () => {
    const subject = whole(
      { requests: { cpu: "2" }, limits: { memory: "1Gi" } },
      container("a", { cpu: "500m", memory: "64Mi" }, { cpu: "3", memory: "512Mi" }),
      container("b", { cpu: "250m" }),
    );
    assert.equal(told(podRequests(subject)), `cpu 2000, memory ${64 * MI}`);
    assert.equal(told(podLimits(subject)), `cpu 3000, memory ${1024 * MI}`);
  });

  it("carry the overhead, and nothing that containers cannot share", () => {
    const subject = whole(
      { requests: { cpu: "1", "ephemeral-storage": "1Gi" } },
      container("a", {}),
    );
    const heavy = { ...subject, spec: { ...subject.spec!, overhead: { cpu: "100m" } } };
    assert.equal(told(podRequests(heavy)), "cpu 1100");
  });

  it("spare the containers the least that scores count", () => {
    assert.equal(
      told(scoredRequests(whole({ requests: { cpu: "10m" } }, container("a", {})))),
      `memory ${200 * MI}, cpu 10`,
    );
    assert.equal(
      told(scoredRequests(whole(undefined, container("a", {})))),
      `cpu 100, memory ${200 * MI}`,
    );
  });

  it("come from its limits where its containers ask for nothing", () => {
    const defaulted = (resources: V1PodSpec["resources"], ...containers: V1Container[]): unknown =>
      withPodDefaults(whole(resources, ...containers)).spec!.resources;
    const limits = { cpu: "2", memory: "1Gi" };
    assert.deepEqual(defaulted({ limits }, container("a", { memory: "64Mi" })), {
      limits,
      requests: { cpu: "2", memory: "64Mi" },
    });
    const given = { limits, requests: { cpu: "1", memory: "1Gi" } };
    assert.deepEqual(defaulted(given, container("a", {})), given);
    assert.deepEqual(defaulted({ requests: { cpu: "1" } }, container("a", {})), {
      requests: { cpu: "1" },
    });
  });

  it("must be enough for the containers", () => {
    const problems = (resources: V1PodSpec["resources"], ...containers: V1Container[]): string[] =>
      validatePodSpec(withPodDefaults(whole(resources, ...containers)).spec!, "spec").map(
        ({ field, detail }) => `${field} ${detail}`,
      );
    const two = [container("a", { cpu: "600m" }), container("b", { cpu: "500m" })];
    assert.deepEqual(problems({ requests: { cpu: "1" } }, ...two), [
      "spec.resources.requests[cpu] must be greater than or equal to aggregate container requests of 1100m",
    ]);
    assert.deepEqual(
      problems({ limits: { memory: "1Gi" } }, container("a", {}, { memory: "2Gi" })),
      [
        "spec.resources.requests must be less than or equal to memory limit of 1Gi",
        "spec.resources.containers[0][memory].limits must be less than or equal to pod limits of 1Gi",
      ],
    );
  });
});

describe("requests of a Pod that is resized", () => {
  const running = (
    asked: string,
    has: string,
    granted = has,
    infeasible = false,
    name = "app",
  ): V1Pod => {
    const status = {
      name,
      resources: { requests: { cpu: has } },
      allocatedResources: { cpu: granted },
    } as unknown as V1ContainerStatus;
    const pending = { type: "PodResizePending", status: "True", reason: "Infeasible" };
    return pod("p", {
      spec: { containers: [container("app", { cpu: asked })] },
      status: { containerStatuses: [status], conditions: infeasible ? [pending] : [] },
    });
  };

  //   asks for, has, was granted → counts
  const rows: readonly (readonly [V1Pod, number, string])[] = [
    [running("1", "1"), 1000, "at rest"],
    [running("2", "1"), 2000, "wants more: the room is taken at once"],
    [running("1", "2", "1"), 2000, "wants less: it holds what it has until the node took it back"],
    [running("1", "1", "2"), 2000, "was granted more than it has yet"],
    [running("4", "1", "1", true), 1000, "wants what its node cannot give"],
    [running("1", "9", "9", false, "other"), 1000, "a status of no container of its own"],
  ];
  for (const [subject, cpu, why] of rows)
    it(why, () => assert.equal(placedRequests(subject).get("cpu"), cpu));

  it("is no resize when what the node tells is what was asked for", () => {
    assert.equal(isResized(running("1", "1")), false);
    assert.equal(isResized(running("2", "1")), true);
    assert.equal(isResized(pod()), false);
  });
});
