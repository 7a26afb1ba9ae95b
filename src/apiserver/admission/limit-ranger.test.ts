import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LimitRange } from "../../api/core/limit-range.ts";
import { Pod } from "../../api/core/pod.ts";
import type { V1LimitRangeItem } from "../../gen/types.ts";
import { admissionCall, admitted } from "../../../test/support/admission-call.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { LimitRanger } from "./limit-ranger.ts";

const CLAIM = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  isNamespaced: true,
};

function ranger(...limits: readonly V1LimitRangeItem[]): LimitRanger {
  const cache = new StaticCache();
  cache.put(LimitRange, { metadata: { name: "l", namespace: "a" }, spec: { limits } });
  return new LimitRanger(cache);
}

const pod = (resources: object | undefined, init: object = {}): Pod => ({
  metadata: { name: "web", namespace: "a" },
  spec: { containers: [{ name: "c", ...(resources && { resources }) }], ...init },
});

describe("LimitRanger", () => {
  it("gives containers what they leave out, and says so", () => {
    const plugin = ranger({
      type: "Container",
      default: { cpu: "2", memory: "1Gi" },
      defaultRequest: { cpu: "1", memory: "1Gi" },
    });
    const object = pod({ requests: { cpu: "3" } }, { initContainers: [{ name: "i" }] });
    const changed = plugin.admit(admissionCall({ kind: Pod, object }))!;
    const full = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } };
    assert.deepEqual(changed.spec?.containers[0]?.resources, {
      ...full,
      requests: { ...full.requests, cpu: "3" },
    });
    assert.deepEqual(changed.spec?.initContainers?.[0]?.resources, full);
    assert.deepEqual(changed.metadata?.annotations, {
      "kubernetes.io/limit-ranger":
        "LimitRanger plugin set: memory request for container c; cpu, memory limit for container c; " +
        "cpu, memory request for init container i; cpu, memory limit for init container i",
    });
  });
  it("leaves Pods alone that have all", () => {
    const plugin = ranger({ type: "Container", default: { cpu: "2" } });
    const object = pod({ limits: { cpu: "1" } });
    assert.equal(plugin.admit(admissionCall({ kind: Pod, object })), undefined);
  });

  const asked = (cpu: string, most: string): Pod =>
    pod({ requests: { cpu }, limits: { cpu: most } });
  const rows: readonly (readonly [string, V1LimitRangeItem, Pod, string])[] = [
    ["inside", { type: "Container", min: { cpu: "1" }, max: { cpu: "2" } }, asked("1", "2"), ""],
    [
      "below",
      { type: "Container", min: { cpu: "1" } },
      asked("500m", "2"),
      "minimum cpu usage per Container is 1, but request is 500m",
    ],
    [
      "limited below",
      { type: "Container", min: { cpu: "1" } },
      asked("1", "900m"),
      "minimum cpu usage per Container is 1, but limit is 900m",
    ],
    [
      "nothing asked",
      { type: "Container", min: { cpu: "1" } },
      pod(undefined),
      "minimum cpu usage per Container is 1.  No request is specified",
    ],
    [
      "above",
      { type: "Container", max: { cpu: "1" } },
      asked("1", "2"),
      "maximum cpu usage per Container is 1, but limit is 2",
    ],
    [
      "no limit",
      { type: "Container", max: { cpu: "1" } },
      pod({ requests: { cpu: "1" } }),
      "maximum cpu usage per Container is 1.  No limit is specified",
    ],
    [
      "ratio",
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      asked("1", "3"),
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
    [
      "ratio of nothing",
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      pod({ limits: { cpu: "1" } }),
      "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ],
    [
      "the Pod's sum",
      { type: "Pod", max: { cpu: "1" } },
      {
        ...asked("1", "1"),
        spec: {
          containers: [
            asked("1", "1").spec!.containers[0]!,
            { name: "d", resources: { limits: { cpu: "1" } } },
          ],
        },
      },
      "maximum cpu usage per Pod is 1, but limit is 2",
    ],
    [
      "two things",
      { type: "Container", min: { cpu: "1" }, max: { memory: "1" } },
      asked("500m", "2"),
      "[minimum cpu usage per Container is 1, but request is 500m, maximum memory usage per Container is 1.  No limit is specified]",
    ],
  ];
  for (const [what, item, object, wanted] of rows)
    it(`judges: ${what}`, () => {
      const found = admitted(ranger(item), { kind: Pod, object });
      const words = typeof found === "string" ? found : "";
      assert.equal(words, wanted && `pods "web" is forbidden: ${wanted}`);
    });
  it("judges claims by what they ask for", () => {
    const plugin = ranger({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } });
    const object = {
      metadata: { name: "web", namespace: "a" },
      spec: { resources: { requests: { storage: "2Gi" } } },
    };
    assert.throws(() => plugin.validate(admissionCall({ kind: CLAIM, object })), {
      message:
        'persistentvolumeclaims "web" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    });
  });
});
