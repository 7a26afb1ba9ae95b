import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Job, V1Pod } from "../../../src/gen/types.ts";
import { pod } from "../../support/builders.ts";
import { jobEnds } from "./job-ends.ts";
import { jobLimits } from "./job-limits.ts";
import { Story } from "./story.ts";

const TRACKED = { finalizers: ["batch.kubernetes.io/job-tracking"] };
/** A user asked it to end. */
const ENDING = { ...TRACKED, deletionTimestamp: "2026-01-01T00:00:00Z" };
const LET_GO = { finalizers: [] };

function job(spec: object = {}, status: object = {}): V1Job {
  return {
    metadata: { name: "sum", namespace: "default" },
    spec: { parallelism: 2, completions: 3, backoffLimit: 1, ...spec },
    status,
  } as V1Job;
}

function worker(name: string, phase = "Running", metadata: object = TRACKED): V1Pod {
  const ownerReferences = [
    { apiVersion: "batch/v1", kind: "Job", name: "sum", uid: "uid-of-sum", controller: true },
  ];
  return pod(name, { metadata: { ownerReferences, ...metadata }, status: { phase } });
}

function world(one: V1Job, ...pods: readonly V1Pod[]): Story {
  const story = new Story();
  story.put("batch/jobs", one);
  for (const each of pods) story.put("pods", each);
  return story;
}

describe("job limits checker", () => {
  const problems = (...story: Parameters<typeof world>): string =>
    jobLimits.check!(world(...story).with()).join();

  it("is content within the limits", () => {
    assert.equal(problems(job(), worker("a"), worker("b")), "");
    assert.equal(problems(job(), worker("a"), worker("a", "Failed"), worker("b"), worker("c")), "");
  });

  it("tells of a Pod beyond parallelism, completions or backoff limit", () => {
    assert.match(problems(job(), worker("a"), worker("b"), worker("c")), /3 .* run, 2 at most/);
    assert.match(problems(job({ suspend: true }), worker("a")), /1 .* run, 0 at most/);
    const done = [worker("a"), worker("a", "Succeeded"), worker("b"), worker("b", "Succeeded")];
    assert.match(
      problems(job(), ...done, worker("c"), worker("d")),
      /2 of its Job's Pods run, and 2 of 3 have succeeded/,
    );
    const lost = [worker("a"), worker("a", "Failed"), worker("b"), worker("b", "Failed")];
    assert.match(problems(job(), ...lost, worker("c")), /2 of its Job's Pods have failed, 1 may/);
  });

  it("does not count as a success what was told to end before it succeeded", () => {
    const story = [worker("a"), worker("a", "Running", ENDING), worker("a", "Succeeded", ENDING)];
    const one = { parallelism: 1, completions: 1 };
    assert.equal(problems(job(one), ...story, worker("b")), "");
    const succeeded = [worker("a"), worker("a", "Succeeded"), worker("a", "Succeeded", ENDING)];
    assert.match(problems(job(one), ...succeeded, worker("b")), /1 of 1 have succeeded/);
  });

  it("does not count what was let go before the status had it", () => {
    const ended = [worker("a"), worker("a", "Succeeded")];
    const one = { parallelism: 1, completions: 1 };
    const taken = [...ended, worker("a", "Succeeded", LET_GO)];
    assert.equal(problems(job(one), ...taken, worker("b")), "");
    const gone = world(job(one), ...ended);
    gone.remove("pods", "default/a");
    gone.put("pods", worker("b"));
    assert.equal(jobLimits.check!(gone.with()).join(), "");
    const counted = world(job(one), ...ended);
    counted.put("batch/jobs", job(one, { uncountedTerminatedPods: { succeeded: ["uid-of-a"] } }));
    counted.put("pods", worker("a", "Succeeded", LET_GO));
    counted.put("pods", worker("b"));
    assert.match(jobLimits.check!(counted.with()).join(), /1 of 1 have succeeded/);
  });
});

describe("job ends checker", () => {
  const problems = (...story: Parameters<typeof world>): string =>
    jobEnds.checkAtRest!(world(...story).with()).join("; ");
  const COMPLETE = { conditions: [{ type: "Complete", status: "True" }] };

  it("is content with one that runs, and one that has ended", () => {
    assert.equal(problems(job({}, { active: 2 }), worker("a"), worker("b")), "");
    const ended = ["a", "b", "c"].map((name) => worker(name, "Succeeded", LET_GO));
    assert.equal(problems(job({}, { ...COMPLETE, succeeded: 3 }), ...ended), "");
  });

  it("lets those go on that run when one has succeeded, where nobody said how many must", () => {
    const begun = job({ parallelism: 0, completions: undefined }, { succeeded: 1, active: 1 });
    assert.equal(problems(begun, worker("a", "Succeeded", LET_GO), worker("b")), "");
  });

  it("tells of Pods that are missing, left, not let go, or counted twice", () => {
    assert.match(problems(job({}, { active: 1 }), worker("a")), /1 of its Pods run, due 2/);
    assert.match(
      problems(job({}, { ...COMPLETE, active: 1 }), worker("a")),
      /1 of its Pods run, due 0/,
    );
    assert.match(problems(job(), worker("a", "Failed")), /default\/a was not counted/);
    const twice = job({}, { succeeded: 2, active: 1 });
    assert.match(
      problems(twice, worker("a", "Succeeded", LET_GO), worker("b")),
      /status.succeeded 2, of 1 Pods/,
    );
    const orphan = world(job({}, { active: 2 }), worker("a"), worker("b"));
    orphan.remove("batch/jobs", "default/sum");
    assert.match(
      jobEnds.checkAtRest!(orphan.with()).join(),
      /default\/a waits to be counted, and its Job is gone/,
    );
  });

  it("lets what was told to end count as failed, though it had succeeded; but not as both", () => {
    const ended = [worker("a"), worker("a", "Succeeded"), worker("a", "Succeeded", ENDING)];
    const gone = (status: object): Story => {
      const story = world(job({}, { ...COMPLETE, ...status }), ...ended);
      story.remove("pods", "default/a");
      return story;
    };
    const text = (status: object): string => jobEnds.checkAtRest!(gone(status).with()).join();
    assert.equal(text({ failed: 1 }), "");
    assert.match(text({ failed: 1, succeeded: 1 }), /succeeded and failed 2, of 1 Pods/);
  });
});
