import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "../../api/batch/job.ts";
import { plan } from "./ttlafterfinished.ts";

const NOW = Date.UTC(2026, 0, 1, 1);

function job(ttl: number | undefined, type = "Complete", extra: object = {}): Job {
  const lastTransitionTime = "2026-01-01T00:59:50Z";
  return {
    metadata: { name: "j", namespace: "d", uid: "j", resourceVersion: "7", ...extra },
    spec: { template: {}, ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }) },
    status: { conditions: [{ type, status: "True", lastTransitionTime }] },
  };
}

/** With conditions before its end: others of the same status, and its end with another. */
function said(of: Job): Job {
  const lastTransitionTime = "2026-01-01T00:50:00Z" as never;
  const earlier = [
    { type: "SuccessCriteriaMet", status: "True", lastTransitionTime },
    { type: "Failed", status: "False", lastTransitionTime },
  ];
  return { ...of, status: { conditions: [...earlier, ...of.status!.conditions!] } };
}

function at(of: Job, lastTransitionTime: string): Job {
  const conditions = of.status!.conditions!.map((one) => ({ ...one, lastTransitionTime }));
  return { ...of, status: { conditions: conditions as never } };
}

//    what, job, plan
const ROWS: readonly (readonly [string, Job, string])[] = [
  ["ended ten seconds ago, ten to live", job(10), "delete"],
  ["failed", job(10, "Failed"), "delete"],
  ["at once", job(0), "delete"],
  ["eleven to live", job(11), "wake 1"],
  ["for ever", job(undefined), ""],
  ["by when it ended, not by what was said before", said(job(11)), "wake 1"],
  ["ended at a time that nobody can read", at(job(0), "soon"), ""],
  ["not ended", job(0, "Suspended"), ""],
  ["going already", job(0, "Complete", { deletionTimestamp: "2026-01-01T00:00:00Z" }), ""],
];

describe("ttl after finished plan", () => {
  for (const [what, given, expected] of ROWS) {
    it(`${what} → "${expected}"`, () => {
      const { writes = [], wakeAt } = plan(given, NOW);
      const wake = wakeAt === undefined ? [] : [`wake ${(wakeAt - NOW) / 1000}`];
      assert.equal([...writes.map(({ verb }) => verb), ...wake].join(" "), expected);
    });
  }

  it("deletes this version only, its Pods first", () => {
    assert.deepEqual(plan(job(0), NOW).writes?.[0], {
      verb: "delete",
      kind: (plan(job(0), NOW).writes![0] as { kind: unknown }).kind,
      key: { namespace: "d", name: "j" },
      ifUid: "j",
      ifResourceVersion: "7",
      propagation: "Foreground",
    });
  });
});
