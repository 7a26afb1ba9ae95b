import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pod } from "../../api/core/pod.ts";
import type { ResourceQuota } from "../../api/core/resource-quota.ts";
import { Secret } from "../../api/core/secret.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { plan } from "./resourcequota.ts";

const NOW = Date.UTC(2026, 0, 1);
const pod = (phase: string, metadata: object = {}): Pod => ({
  metadata,
  spec: { containers: [{ name: "c", resources: { requests: { cpu: "100m" } } }] },
  status: { phase },
});
const dying = { deletionTimestamp: "2026-01-01T00:00:10Z", deletionGracePeriodSeconds: 0 };

//     what, bounds, objects, used, wakes after
const ROWS: readonly (readonly [
  string,
  Record<string, string>,
  readonly KubeObject[],
  object,
  number?,
])[] = [
  ["nothing there", { pods: "1" }, [], { pods: "0" }],
  [
    "Pods that run",
    { pods: "9", cpu: "1" },
    [pod("Running"), pod("Pending")],
    { pods: "2", cpu: "200m" },
  ],
  [
    "one that has ended",
    { pods: "9", cpu: "1" },
    [pod("Running"), pod("Succeeded")],
    { pods: "1", cpu: "100m" },
  ],
  ["one that is ending", { pods: "9" }, [pod("Running", dying)], { pods: "1" }, 10_001],
  [
    "what nobody counts",
    { "example.com/shoes": "1" },
    [pod("Running")],
    { "example.com/shoes": "0" },
  ],
];

describe("resourcequota", () => {
  for (const [what, hard, pods, used, wakesAfter] of ROWS)
    it(what, () => {
      const quota: ResourceQuota = { metadata: { name: "q" }, spec: { hard } };
      const content = new Map<Kind, readonly KubeObject[]>([
        [Pod, pods],
        [Secret, [{}]],
      ]);
      const { status, wakeAt } = plan({ quota, content }, NOW);
      assert.deepEqual(status, { hard, used });
      assert.equal(wakeAt, wakesAfter && NOW + wakesAfter);
    });
});
