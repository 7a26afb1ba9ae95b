import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1Pod, V1PodSpec } from "../../gen/types.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { podResource } from "./pod.ts";

const { strategy, subresources } = podResource;
const NOW = { now: 0, user: "u" };

function complete(spec: Partial<V1PodSpec>): V1Pod {
  return withPodDefaults(pod("p", { spec, metadata: { generation: 1 } }));
}

function row(
  what: string,
  old: Partial<V1PodSpec>,
  spec: Partial<V1PodSpec>,
  ...expected: string[]
): void {
  it(what, () =>
    assert.deepEqual(
      errorLines(strategy.validateUpdate(complete(spec), complete(old))).map(
        (line) => line.split("\n")[0],
      ),
      expected,
    ),
  );
}

const ONLY =
  "spec Forbidden: pod updates may not change fields other than " +
  "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
  "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` " +
  "(allow it to be set to 1 if it was previously negative)";
const app = (image: string) => [{ name: "app", image }];
const toleration = { key: "a", operator: "Exists" };

describe("an update of a pod", () => {
  row("may change nothing", {}, {});
  row("may change images", {}, { containers: app("app:2"), }); // prettier-ignore
  row("may not move the pod", { nodeName: "a" }, { nodeName: "b" }, ONLY);
  row("may not bind the pod", {}, { nodeName: "b" }, ONLY);
  row(
    "may not add containers",
    {},
    { containers: [...app("app:1"), { name: "b", image: "b" }] },
    "spec.containers Forbidden: pod updates may not add or remove containers",
  );
  row("may set the deadline", {}, { activeDeadlineSeconds: 5 });
  row("may shorten the deadline", { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 4 });
  row(
    "may not lengthen the deadline",
    { activeDeadlineSeconds: 5 },
    { activeDeadlineSeconds: 6 },
    "spec.activeDeadlineSeconds Invalid: must be less than or equal to previous value",
  );
  row("may add tolerations", {}, { tolerations: [toleration] });
  row(
    "may not remove tolerations",
    { tolerations: [toleration] },
    {},
    "spec.tolerations Forbidden: existing toleration can not be modified except its tolerationSeconds",
  );
  row("may open gates", { schedulingGates: [{ name: "g" }] }, {});
  row(
    "may not add gates",
    {},
    { schedulingGates: [{ name: "g" }] },
    "spec.schedulingGates[0] Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
  );
  row("may narrow a gated pod", { schedulingGates: [{ name: "g" }] }, { nodeSelector: { a: "b" } });

  it("says which fields differ", () => {
    const [error] = strategy.validateUpdate(
      complete({ nodeName: "b" }),
      complete({ nodeName: "a" }),
    );
    assert.match(error!.detail, /\n {2}spec\.nodeName: "a" → "b"$/);
  });
});

describe("generation and status of a pod", () => {
  it("begin at 1 and Pending", () => {
    const created = strategy.prepareForCreate(
      { ...complete({}), status: { phase: "Running" } },
      NOW,
    );
    assert.equal(created.metadata!.generation, 1);
    assert.deepEqual(created.status, { phase: "Pending", qosClass: "BestEffort" });
  });

  it("show the gates of a gated pod", () => {
    const gated = complete({ schedulingGates: [{ name: "g" }] });
    const [condition] = strategy.prepareForCreate(gated, NOW).status!.conditions!;
    assert.equal(condition!.reason, "SchedulingGated");
  });

  it("change apart: spec raises the generation, status stays", () => {
    const old = { ...complete({}), status: { phase: "Running" } };
    const changed = { ...complete({ containers: app("app:2") }), status: {} };
    const updated = strategy.prepareForUpdate(changed, old, NOW);
    assert.equal(updated.metadata!.generation, 2);
    assert.deepEqual(updated.status, { phase: "Running" });
    const same = strategy.prepareForUpdate(complete({}), old, NOW);
    assert.equal(same.metadata!.generation, 1);
  });

  it("change apart: the status endpoint keeps the spec and the class of service", () => {
    const old = { ...complete({}), status: { phase: "Pending", qosClass: "BestEffort" } };
    const changed = { ...complete({ nodeName: "n" }), status: { phase: "Running" } };
    const updated = subresources!.status!.prepareForUpdate(changed, old, NOW);
    assert.equal(updated.spec!.nodeName, undefined);
    assert.deepEqual(updated.status, { phase: "Running", qosClass: "BestEffort" });
  });
});

describe("the grace of a pod's deletion", () => {
  const grace = (spec: Partial<V1PodSpec>, phase: string, requested?: number) =>
    strategy.graceSeconds!({ ...complete(spec), status: { phase } }, requested);
  it("is the spec's", () => assert.equal(grace({ nodeName: "n" }, "Running"), 30));
  it("is what was asked for", () => assert.equal(grace({ nodeName: "n" }, "Running", 5), 5));
  it("is none before it runs", () => assert.equal(grace({}, "Pending", 5), 0));
  it("is none after it ran", () => assert.equal(grace({ nodeName: "n" }, "Failed", 5), 0));
});
