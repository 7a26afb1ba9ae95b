import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1CronJob, V1Job } from "../../../src/gen/types.ts";
import { emptyHistory } from "../world/history.ts";
import { cronJobs } from "./cron-jobs.ts";
import { Story } from "./story.ts";

function cronJob(spec: object = {}, status: object = {}): V1CronJob {
  return {
    metadata: { name: "sum", namespace: "default", generation: 1 },
    spec: { schedule: "* * * * *", concurrencyPolicy: "Allow", ...spec },
    status,
  } as V1CronJob;
}

/** The run of 00:MM. */
function run(minute: number, end?: "Complete" | "Failed", metadata: object = {}): V1Job {
  const at = `2026-01-01T00:0${minute}:00Z`;
  const ownerReferences = [
    { apiVersion: "batch/v1", kind: "CronJob", name: "sum", uid: "uid-of-sum", controller: true },
  ];
  const annotations = { "batch.kubernetes.io/cronjob-scheduled-timestamp": at };
  return {
    metadata: {
      name: `sum-${minute}`,
      namespace: "default",
      annotations,
      ownerReferences,
      ...metadata,
    },
    status: { conditions: end ? [{ type: end, status: "True" }] : [] },
  } as V1Job;
}

function world(one: V1CronJob, ...jobs: readonly V1Job[]): Story {
  const story = new Story();
  story.put("batch/cronjobs", one);
  for (const job of jobs) story.put("batch/jobs", job);
  return story;
}

describe("cron jobs checker", () => {
  const steps = (story: Story): string => cronJobs.check!(story.with()).join();

  it("is content with one run after another", () => {
    for (const concurrencyPolicy of ["Forbid", "Replace"])
      assert.equal(
        steps(world(cronJob({ concurrencyPolicy }), run(1), run(1, "Failed"), run(2))),
        "",
      );
    assert.equal(steps(world(cronJob(), run(1), run(2))), "");
  });

  it("tells of a second run for one time", () => {
    const twice = world(cronJob(), run(1), run(1, undefined, { name: "other" }));
    assert.match(steps(twice), /default\/other at 3: .* for the second time/);
    const again = world(cronJob(), run(1));
    again.remove("batch/jobs", "default/sum-1");
    again.put("batch/jobs", run(1, undefined, { uid: "again" }));
    assert.equal(steps(again), "");
    const known = world(cronJob({}, { lastScheduleTime: "2026-01-01T00:01:00Z" }), run(1));
    assert.match(steps(known), /which was dealt with/);
  });

  it("tells of a run beside another, or while there should be none", () => {
    const meeting = [run(1), run(2)];
    assert.match(
      steps(world(cronJob({ concurrencyPolicy: "Forbid" }), ...meeting)),
      /sum-2 at 3: it is made while sum-1 runs/,
    );
    assert.match(
      steps(world(cronJob({ concurrencyPolicy: "Replace" }), ...meeting)),
      /it is made before sum-1 ends/,
    );
    const going = run(1, undefined, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    assert.equal(
      steps(world(cronJob({ concurrencyPolicy: "Replace" }), run(1), going, run(2))),
      "",
    );
    assert.match(steps(world(cronJob({ suspend: true }), run(1))), /it is suspended/);
  });

  it("tells at rest of too many, of a status that says otherwise, and of a time that was missed", () => {
    const rest = (story: Story, facts: object = {}): string =>
      cronJobs.checkAtRest!(story.with({ facts: { ...emptyHistory.facts, ...facts } })).join();
    const limits = { successfulJobsHistoryLimit: 1 };
    assert.equal(rest(world(cronJob(limits), run(1, "Complete"), run(2, "Failed"))), "");
    assert.match(
      rest(world(cronJob(limits), run(1, "Complete"), run(2, "Complete"))),
      /2 of its Jobs are Complete, 1 are kept/,
    );
    assert.match(rest(world(cronJob(), run(1))), /status.active none, due sum-1/);
    const stopped = (lastScheduleTime: string): Story => {
      const status = { lastScheduleTime };
      const story = world(cronJob({}, status));
      for (let i = 0; i < 180; i++) story.put("nodes", { metadata: { name: "busy" } });
      const suspended = cronJob({ suspend: true }, status);
      story.put("batch/cronjobs", {
        ...suspended,
        metadata: { ...suspended.metadata, generation: 2 },
      });
      return story;
    };
    const healed = { healedAtMs: 0 };
    assert.equal(rest(stopped("2026-01-01T00:02:00Z"), healed), "");
    assert.match(rest(stopped("2026-01-01T00:01:00Z"), healed), /it was last run for .*00:01:00Z/);
    assert.equal(rest(stopped("2026-01-01T00:01:00Z"), { healedAtMs: 170_000 }), "");
  });
});
