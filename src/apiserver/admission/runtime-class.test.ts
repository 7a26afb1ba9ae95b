import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { admitted } from "../../../test/support/admission-call.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Pod } from "../../api/core/pod.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import type { V1PodSpec } from "../../gen/types.ts";
import { RuntimeClassAdmission } from "./runtime-class.ts";

const toleration = (key: string, more: object = {}) => ({ key, operator: "Exists", ...more });
const cache = new StaticCache()
  .put(RuntimeClass, { metadata: { name: "plain" }, handler: "p" })
  .put(RuntimeClass, {
    metadata: { name: "heavy" },
    handler: "h",
    overhead: { podFixed: { cpu: "250m" } },
  })
  .put(RuntimeClass, {
    metadata: { name: "placed" },
    handler: "l",
    scheduling: { nodeSelector: { vm: "yes" }, tolerations: [toleration("vm")] },
  });
const plugin = new RuntimeClassAdmission(cache);

/** What becomes of a Pod's spec; the message when it is refused. */
function specOf(spec: Partial<V1PodSpec>): object | string {
  const metadata = { name: "p", namespace: "d" };
  const pod: Pod = { metadata, spec: { containers: [{ name: "c" }], ...spec } };
  const found = admitted(plugin, { kind: Pod, object: pod });
  if (typeof found === "string") return found;
  const { containers, ...rest } = (found as Pod).spec!;
  assert.equal(containers.length, 1);
  return rest;
}

const refused = (why: string): string => `pods "p" is forbidden: ${why}`;
const MISMATCH = refused(
  "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
);

describe("RuntimeClassAdmission", () => {
  const rows: readonly (readonly [string, Partial<V1PodSpec>, object | string])[] = [
    ["none", {}, {}],
    ["one that adds nothing", { runtimeClassName: "plain" }, { runtimeClassName: "plain" }],
    [
      "one that does not exist",
      { runtimeClassName: "no" },
      refused('pod rejected: RuntimeClass "no" not found'),
    ],
    [
      "its overhead is filled in",
      { runtimeClassName: "heavy" },
      { runtimeClassName: "heavy", overhead: { cpu: "250m" } },
    ],
    [
      "the same overhead, written otherwise",
      { runtimeClassName: "heavy", overhead: { cpu: "0.25" } },
      { runtimeClassName: "heavy", overhead: { cpu: "250m" } },
    ],
    ["another overhead", { runtimeClassName: "heavy", overhead: { cpu: "1" } }, MISMATCH],
    [
      "overhead without a class that has any",
      { runtimeClassName: "plain", overhead: { cpu: "1" } },
      refused("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"),
    ],
    [
      "its selector and tolerations are added",
      { runtimeClassName: "placed", nodeSelector: { disk: "ssd" }, tolerations: [toleration("a")] },
      {
        runtimeClassName: "placed",
        nodeSelector: { disk: "ssd", vm: "yes" },
        tolerations: [toleration("a"), toleration("vm")],
      },
    ],
    [
      "a toleration that another contains goes",
      { runtimeClassName: "placed", tolerations: [toleration("vm", { effect: "NoSchedule" })] },
      { runtimeClassName: "placed", nodeSelector: { vm: "yes" }, tolerations: [toleration("vm")] },
    ],
    [
      "another value of the selector",
      { runtimeClassName: "placed", nodeSelector: { vm: "no" } },
      refused(
        "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
      ),
    ],
  ];
  for (const [what, spec, expected] of rows)
    it(what, () => assert.deepEqual(specOf(spec), expected));
});
