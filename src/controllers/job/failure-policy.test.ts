import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/core/pod.ts";
import type { V1PodFailurePolicyRule } from "../../gen/types.ts";
import { judgeFailure } from "./failure-policy.ts";

type Codes = Readonly<Record<string, number>>;

/** Of containers by name, and with these conditions (`DisruptionTarget=True`). */
function pod(containers: Codes, init: Codes = {}, conditions: readonly string[] = []): Pod {
  const ended = (codes: Codes) =>
    Object.entries(codes).map(([name, exitCode]) => ({
      ...{ name, image: "i", imageID: "", ready: false, restartCount: 0 },
      state: { terminated: { exitCode } },
    }));
  return {
    metadata: { name: "p", namespace: "d" },
    status: {
      containerStatuses: ended(containers),
      initContainerStatuses: ended(init),
      conditions: conditions.map((text) => {
        const [type = "", status = ""] = text.split("=");
        return { type, status };
      }),
    },
  };
}

const codes = (
  operator: string,
  values: number[],
  action = "FailJob",
  containerName?: string,
): V1PodFailurePolicyRule => ({
  action,
  onExitCodes: { operator, values, ...(containerName && { containerName }) },
});
const condition = (action: string, status = "True"): V1PodFailurePolicyRule => ({
  action,
  onPodConditions: [{ type: "DisruptionTarget", status }],
});
const DISRUPTED = pod({ c: 1 }, {}, ["Other=True", "DisruptionTarget=True"]);

//    what, rules, Pod, action (+: counted)
const ROWS: readonly (readonly [string, readonly V1PodFailurePolicyRule[], Pod, string])[] = [
  ["no rules", [], pod({ c: 1 }), "none+"],
  ["in", [codes("In", [1, 3])], pod({ c: 3 }), "FailJob+"],
  ["not among them", [codes("In", [1, 3])], pod({ c: 2 }), "none+"],
  ["not in", [codes("NotIn", [1, 3])], pod({ c: 2 }), "FailJob+"],
  ["among those that are excluded", [codes("NotIn", [1, 3])], pod({ c: 3 }), "none+"],
  ["not in: success is no failure", [codes("NotIn", [3])], pod({ c: 0 }), "none+"],
  ["in: nor if it is listed", [codes("In", [0])], pod({ c: 0 }), "none+"],
  ["an operator that nobody knows", [codes("Near", [3])], pod({ c: 2 }), "none+"],
  ["one of several containers", [codes("In", [3])], pod({ a: 0, b: 3 }), "FailJob+"],
  ["an init container", [codes("In", [3])], pod({ c: 0 }, { i: 3 }), "FailJob+"],
  ["the container that is named", [codes("In", [3], "FailJob", "b")], pod({ b: 3 }), "FailJob+"],
  ["another one", [codes("In", [3], "FailJob", "b")], pod({ a: 3, b: 0 }), "none+"],
  ["a condition: ignored", [condition("Ignore")], DISRUPTED, "Ignore"],
  ["a condition of another status", [condition("Ignore", "False")], DISRUPTED, "none+"],
  ["no such condition", [condition("Ignore")], pod({ c: 1 }, {}, ["Other=True"]), "none+"],
  ["counted", [condition("Count")], DISRUPTED, "Count+"],
  ["its index fails", [codes("In", [1], "FailIndex")], pod({ c: 1 }), "FailIndex+"],
  ["the first that matches", [codes("In", [9]), condition("Count"), condition("Ignore")], DISRUPTED, "Count+"], // prettier-ignore
  ["one that nobody knows is passed over", [condition("Dance"), condition("Ignore")], DISRUPTED, "Ignore"], // prettier-ignore
];

describe("judgeFailure, by upstream's TestMatchPodFailurePolicy", () => {
  for (const [what, rules, subject, expected] of ROWS)
    it(`${what} → ${expected}`, () => {
      const { action = "none", isCounted } = judgeFailure({ rules: [...rules] }, subject);
      assert.equal(`${action}${isCounted ? "+" : ""}`, expected);
    });

  it("says of a Job that fails what matched, and which rule", () => {
    const of = (rule: V1PodFailurePolicyRule, subject: Pod) =>
      judgeFailure({ rules: [codes("In", [99]), rule] }, subject).message;
    assert.equal(
      of(codes("In", [3]), pod({ c: 3 })),
      "Container c for pod d/p failed with exit code 3 matching FailJob rule at index 1",
    );
    assert.equal(
      of(condition("FailJob"), DISRUPTED),
      "Pod d/p has condition DisruptionTarget matching FailJob rule at index 1",
    );
    assert.equal(of(condition("Count"), DISRUPTED), undefined);
  });
});
