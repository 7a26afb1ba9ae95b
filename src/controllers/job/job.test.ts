import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { COMPLETION_INDEX, INDEX_FAILURES, JOB_TRACKING } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { Plan } from "../../reconciler/controller.ts";
import type { Failure } from "./backoff.ts";
import { plan as planJob } from "./job.ts";
import type { JobSpec } from "./job-pods.ts";
import type { JobStatus } from "./job-status.ts";

const NOW = Date.UTC(2026, 0, 1, 1);
const LABELS = { app: "x" };
const START = "2026-01-01T00:30:00Z";
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

/**
 * `a`: running. `a ok`, `a failed`: ended (ten minutes ago, or `@5` seconds). `a going`: being deleted. `a ready`, `a new` (no node).
 * `#2`: index. `-`: let go, no finalizer. `(free)`: no controller. `(of y)`: another one. `exit 3`. `tries 2`: failures of its index
 * before. `disrupted`: has the condition. `restarts 4`.
 */
function pod(text: string): Pod {
  const name = text.trim().split(" ")[0]!;
  const value = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const is = (word: string): boolean => new RegExp(`(^| )${word}( |$)`).test(text.trim());
  const owner = is("\\(free\\)") ? undefined : (value(/\(of (\w+)\)/) ?? "job");
  const phase = is("ok")
    ? "Succeeded"
    : is("failed")
      ? "Failed"
      : is("new")
        ? "Pending"
        : "Running";
  const index = value(/#(\d+)/);
  const exitCode = Number(value(/exit (\d+)/) ?? (phase === "Failed" ? 1 : 0));
  const hasEnded = phase === "Succeeded" || phase === "Failed";
  const finishedAt = ago(Number(value(/@(-?\d+)/) ?? 600));
  const tries = value(/tries (\d+)/);
  const conditions = [
    ...(is("ready") ? [{ type: "Ready", status: "True" }] : []),
    ...(is("disrupted") ? [{ type: "DisruptionTarget", status: "True" }] : []),
  ];
  const controller = { apiVersion: "batch/v1", kind: "Job", controller: true };
  return {
    metadata: {
      name,
      namespace: "d",
      uid: name,
      labels: LABELS,
      creationTimestamp: "2026-01-01T00:30:00Z",
      annotations: {
        ...(index && { [COMPLETION_INDEX]: index }),
        ...(tries && { [INDEX_FAILURES]: tries }),
      },
      ...(!is("-") && { finalizers: [JOB_TRACKING] }),
      ...(is("going") && { deletionTimestamp: ago(0), deletionGracePeriodSeconds: 0 }),
      ...(owner && { ownerReferences: [{ ...controller, name: owner, uid: owner }] }),
    },
    spec: { containers: [], ...(!is("new") && { nodeName: "n" }) },
    status: {
      phase,
      conditions,
      containerStatuses: [
        {
          name: "c",
          image: "i",
          imageID: "",
          ready: false,
          restartCount: Number(value(/restarts (\d+)/) ?? 0),
          state: hasEnded ? { terminated: { exitCode, finishedAt } } : {},
        },
      ],
    },
  };
}

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  return {
    metadata: { name: "job", namespace: "d", uid: "job", resourceVersion: "1" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      podReplacementPolicy: spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed",
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: { containers: [{ name: "c", image: "i" }], restartPolicy: "Never" },
      },
      ...spec,
    },
    status: { startTime: START, uncountedTerminatedPods: {}, ...status },
  };
}

function planned(of: Job, pods: string, gone: readonly Failure[] = []): Plan {
  return planJob({ job: of, pods: pods ? pods.split("|").map(pod) : [], gone }, NOW);
}

/** What is written to Pods: `+2`, `+#0 +#3`, `-a`, `release a`, `adopt a`; and when the next look is. */
function steps({ writes = [], wakeAt }: Plan): string {
  const words = writes.flatMap((write) => {
    if (write.verb === "delete") return [`-${write.key.name}`];
    if (write.verb === "patch")
      return [
        `${JSON.stringify(write.patch).includes("controller") ? "adopt" : "release"} ${write.key.name}`,
      ];
    if (write.verb !== "create") return [];
    const index = write.object.metadata?.annotations?.[COMPLETION_INDEX];
    return [index === undefined ? "+" : `+#${index}`];
  });
  const plain = words.filter((word) => word === "+").length;
  const others = words.filter((word) => word !== "+");
  const wake = wakeAt === undefined ? [] : [`wake ${(wakeAt - NOW) / 1000}s`];
  return [...others, ...(plain ? [`+${plain}`] : []), ...wake].join(" ");
}

function statusOf({ status, writes = [] }: Plan): JobStatus {
  const written = writes.find((write) => write.verb === "update");
  return (status ?? (written as { object: Job } | undefined)?.object.status ?? {}) as JobStatus;
}

/** `active 1 ready 0 ok 2 failed 1 going 1 done 1,3 lost 2 counting a;b, True conditions with their reasons`. */
function told(plan: Plan): string {
  const status = statusOf(plan);
  const { uncountedTerminatedPods: uncounted, conditions = [] } = status;
  const counts = {
    active: status.active,
    ready: status.ready || undefined,
    ok: status.succeeded,
    failed: status.failed,
    going: status.terminating || undefined,
    done: status.completedIndexes,
    lost: status.failedIndexes || undefined,
    "counting ok": uncounted?.succeeded?.join(";"),
    "counting failed": uncounted?.failed?.join(";"),
  };
  const words = Object.entries(counts).flatMap(([what, count]) =>
    count === undefined ? [] : [`${what} ${count}`],
  );
  const states = conditions.map(
    ({ type, status: is, reason }) => `${is === "True" ? "" : "not "}${type}(${reason})`,
  );
  return [...words, ...states].join(", ");
}

type Row = readonly [
  what: string,
  spec: Partial<JobSpec>,
  status: JobStatus,
  pods: string,
  writes: string,
  status: string,
];

const OK = { type: "SuccessCriteriaMet", status: "True", reason: "CompletionsReached" };
const TARGET = {
  type: "FailureTarget",
  status: "True",
  reason: "BackoffLimitExceeded",
  message: "m",
};
const INDEXED = { completionMode: "Indexed", completions: 3, parallelism: 3 } as const;
const PER_INDEX = { ...INDEXED, backoffLimitPerIndex: 1, backoffLimit: 2 ** 31 - 1 };
const ON_FAILURE = {
  template: { spec: { containers: [], restartPolicy: "OnFailure" } },
} as Partial<JobSpec>;
const rule = (action: string, parts: object): Partial<JobSpec> => ({
  podFailurePolicy: { rules: [{ action, ...parts }] },
});
const EXIT_3 = { onExitCodes: { operator: "In", values: [3] } };
const DISRUPTED = { onPodConditions: [{ type: "DisruptionTarget", status: "True" }] };

//  what, spec, status, pods → writes, status
const ROWS: readonly Row[] = [
  // How many
  ["the first Pod", {}, {}, "", "+1", "active 1"],
  ["as many at once as may be", { parallelism: 2, completions: 5 }, {}, "", "+2", "active 2"],
  [
    "no more than are wanted still",
    { parallelism: 3, completions: 5 },
    { succeeded: 4 },
    "",
    "+1",
    "active 1, ok 4",
  ],
  ["one step is bounded", { parallelism: 700, completions: 700 }, {}, "", "+500", "active 500"],
  ["parallelism 0 stops", { parallelism: 0 }, {}, "a", "release a -a", "going 1"],
  [
    "too many: the cheapest goes, uncounted",
    { parallelism: 1, completions: 5 },
    {},
    "a ready | b new",
    "release b -b",
    "active 1, ready 1, going 1",
  ],
  ["not ours: neither counted nor deleted", { parallelism: 1 }, {}, "a | b (of y)", "", "active 1"],
  ["a free one is adopted before anything else", {}, {}, "a (free)", "adopt a", ""],
  [
    "without completions: parallelism",
    { completions: undefined, parallelism: 3 } as never,
    {},
    "a",
    "+2",
    "active 3",
  ],
  [
    "without completions: none more after a success",
    { completions: undefined, parallelism: 3 } as never,
    {},
    "a | b ok",
    "",
    "active 1, counting ok b",
  ],
  // Counting once
  [
    "a success is recorded first",
    {},
    {},
    "a ok",
    "",
    "counting ok a, SuccessCriteriaMet(CompletionsReached)",
  ],
  [
    "what is recorded is let go",
    {},
    { uncountedTerminatedPods: { succeeded: ["a"] }, conditions: [OK] },
    "a ok",
    "release a",
    "counting ok a, SuccessCriteriaMet(CompletionsReached)",
  ],
  [
    "what was let go is counted, and all is complete",
    {},
    { uncountedTerminatedPods: { succeeded: ["a"] }, conditions: [OK] },
    "a ok -",
    "",
    "ok 1, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)",
  ],
  [
    "a recorded Pod that is gone is counted",
    {},
    { uncountedTerminatedPods: { failed: ["a"] } },
    "",
    "+1",
    "active 1, failed 1",
  ],
  [
    "nothing is counted twice",
    {},
    { succeeded: 1, conditions: [OK] },
    "a ok -",
    "",
    "ok 1, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)",
  ],
  [
    "one that goes on is awaited",
    { completions: 1 },
    { succeeded: 1, conditions: [OK] },
    "b going -",
    "",
    "ok 1, going 1, SuccessCriteriaMet(CompletionsReached)",
  ],
  [
    "completions 0 are reached at once",
    { completions: 0 },
    {},
    "",
    "",
    "SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)",
  ],
  // Failures
  ["a failed one is replaced", {}, {}, "a failed", "+1", "active 1, counting failed a"],
  ["not before 10 s", {}, {}, "a failed @4", "wake 6s", "counting failed a"],
  ["a clock that is a little ahead", {}, {}, "a failed @-4", "wake 14s", "counting failed a"],
  ["a clock that was hours ahead", {}, {}, "a failed @-7200", "+1", "active 1, counting failed a"],
  [
    "after three, not before 40 s",
    {},
    {},
    "a failed - @90 | b failed - @50 | c failed @4",
    "wake 36s",
    "counting failed c",
  ],
  [
    "a success in between starts anew",
    { completions: 2 },
    { succeeded: 1 },
    "a failed - @90 | b ok - @50 | c failed @4",
    "wake 6s",
    "ok 1, counting failed c",
  ],
  [
    "beyond the limit the rest is ended",
    { backoffLimit: 1, parallelism: 2, completions: 9 },
    { failed: 1 },
    "a failed | b",
    "-b",
    "failed 1, going 1, counting failed a;b, FailureTarget(BackoffLimitExceeded)",
  ],
  [
    "a failed Job counts what it ended",
    { backoffLimit: 0 },
    { conditions: [TARGET], uncountedTerminatedPods: { failed: ["b"] } },
    "b going",
    "release b",
    "going 1, counting failed b, FailureTarget(BackoffLimitExceeded)",
  ],
  [
    "and says Failed when they are gone",
    { backoffLimit: 0 },
    { conditions: [TARGET], uncountedTerminatedPods: { failed: ["b"] } },
    "",
    "",
    "failed 1, FailureTarget(BackoffLimitExceeded), Failed(BackoffLimitExceeded)",
  ],
  [
    "restarts count with OnFailure",
    { ...ON_FAILURE, backoffLimit: 3 },
    {},
    "a restarts 3",
    "-a",
    "going 1, counting failed a, FailureTarget(BackoffLimitExceeded)",
  ],
  [
    "those of ended Pods do not count with OnFailure, they are counted themselves",
    { ...ON_FAILURE, backoffLimit: 3 },
    {},
    "a failed restarts 3",
    "+1",
    "active 1, counting failed a",
  ],
  [
    "nor any otherwise: its containers are not restarted",
    { backoffLimit: 3 },
    {},
    "a restarts 3",
    "",
    "active 1",
  ],
  [
    "a Pod that has not begun counts with those of its init containers",
    { ...ON_FAILURE, backoffLimit: 3 },
    {},
    "a new restarts 3",
    "-a",
    "going 1, counting failed a, FailureTarget(BackoffLimitExceeded)",
  ],
  ["but not one below", { ...ON_FAILURE, backoffLimit: 3 }, {}, "a restarts 2", "", "active 1"],
  ["a deleted Pod counts as failed", {}, {}, "a going", "wake 10s", "going 1, counting failed a"],
  [
    "Failed only: a going one is awaited",
    { podReplacementPolicy: "Failed" },
    {},
    "a going",
    "",
    "going 1",
  ],
  [
    "the deadline",
    { activeDeadlineSeconds: 60 },
    {},
    "a",
    "-a",
    "going 1, counting failed a, FailureTarget(DeadlineExceeded)",
  ],
  ["before the deadline", { activeDeadlineSeconds: 1860 }, {}, "a", "wake 60s", "active 1"],
  // Failure policy
  [
    "FailJob by exit code",
    rule("FailJob", EXIT_3),
    {},
    "a failed exit 3",
    "",
    "counting failed a, FailureTarget(PodFailurePolicy)",
  ],
  [
    "another exit code",
    rule("FailJob", EXIT_3),
    {},
    "a failed exit 4",
    "+1",
    "active 1, counting failed a",
  ],
  [
    "Ignore by condition: let go uncounted",
    { ...rule("Ignore", DISRUPTED), backoffLimit: 0 },
    {},
    "a failed disrupted",
    "release a +1",
    "active 1",
  ],
  [
    "Count",
    { ...rule("Count", EXIT_3), backoffLimit: 0 },
    {},
    "a failed exit 3",
    "",
    "counting failed a, FailureTarget(BackoffLimitExceeded)",
  ],
  [
    "a going Pod is judged when it has ended",
    rule("FailJob", EXIT_3),
    {},
    "a going",
    "",
    "going 1",
  ],
  // Suspension
  [
    "suspended: no Pods",
    { suspend: true },
    { startTime: START },
    "a",
    "release a -a",
    "going 1, Suspended(JobSuspended)",
  ],
  [
    "resumed",
    {},
    { conditions: [{ type: "Suspended", status: "True", reason: "JobSuspended" }] },
    "",
    "+1",
    "active 1, not Suspended(JobResumed)",
  ],
  // Indexed
  ["one Pod for each index", INDEXED, {}, "", "+#0 +#1 +#2", "active 3"],
  [
    "the first that are missing",
    { ...INDEXED, parallelism: 2 },
    { completedIndexes: "0" },
    "b #2",
    "+#1",
    "active 2, ok 1, done 0",
  ],
  [
    "an index is recorded, then the Pod let go",
    INDEXED,
    {},
    "a #1 ok | b #0 | c #2",
    "",
    "active 2, ok 1, done 1",
  ],
  [
    "a recorded index is let go",
    INDEXED,
    { completedIndexes: "1", succeeded: 1 },
    "a #1 ok | b #0 | c #2",
    "release a",
    "active 2, ok 1, done 1",
  ],
  [
    "a second Pod of an index goes",
    INDEXED,
    {},
    "a #0 | b #0 new | c #1 | d #2",
    "release b -b",
    "active 3, going 1",
  ],
  [
    "an index beyond goes",
    { ...INDEXED, completions: 1, parallelism: 1 },
    {},
    "a #0 | b #1",
    "release b -b",
    "active 1, going 1",
  ],
  [
    "all done",
    INDEXED,
    { completedIndexes: "0-2", succeeded: 3, conditions: [OK] },
    "",
    "",
    "ok 3, done 0-2, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)",
  ],
  // Limits for each index
  [
    "a failed index is replaced; its Pod stays until then",
    PER_INDEX,
    {},
    "a #0 failed | b #1 | c #2",
    "+#0",
    "active 3",
  ],
  ["and waits for itself", PER_INDEX, {}, "a #0 failed @4 | c #2", "+#1 wake 6s", "active 2"],
  [
    "its Pod is counted when it has been replaced",
    PER_INDEX,
    {},
    "a #0 failed | a2 #0 tries 1 | b #1 | c #2",
    "",
    "active 3, counting failed a",
  ],
  [
    "beyond its limit an index has failed",
    PER_INDEX,
    {},
    "a #0 failed tries 1 | b #1 | c #2",
    "",
    "active 2, lost 0, counting failed a",
  ],
  [
    "too many of them",
    { ...PER_INDEX, maxFailedIndexes: 0 },
    {},
    "a #0 failed tries 1 | b #1 | c #2",
    "-b -c",
    "going 2, lost 0, counting failed a;b;c, FailureTarget(MaxFailedIndexesExceeded)",
  ],
  [
    "as many as are allowed",
    { ...PER_INDEX, maxFailedIndexes: 1 },
    {},
    "a #0 failed tries 1 | b #1 | c #2",
    "",
    "active 2, lost 0, counting failed a",
  ],
  [
    "all settled, some failed",
    PER_INDEX,
    { completedIndexes: "1-2", failedIndexes: "0", failed: 2, succeeded: 2 },
    "",
    "",
    "ok 2, failed 2, done 1,2, lost 0, FailureTarget(FailedIndexes), Failed(FailedIndexes)",
  ],
  [
    "FailIndex",
    { ...PER_INDEX, ...rule("FailIndex", EXIT_3) },
    {},
    "a #0 failed exit 3 | b #1 | c #2",
    "",
    "active 2, lost 0, counting failed a",
  ],
  // Success policy
  [
    "enough by count",
    { ...INDEXED, successPolicy: { rules: [{ succeededCount: 1 }] } },
    {},
    "a #1 ok | b #0 | c #2",
    "-b -c",
    "ok 1, going 2, done 1, SuccessCriteriaMet(SuccessPolicy)",
  ],
  [
    "the ones that matter",
    { ...INDEXED, successPolicy: { rules: [{ succeededIndexes: "0,2", succeededCount: 1 }] } },
    {},
    "a #1 ok | b #0 | c #2",
    "",
    "active 2, ok 1, done 1",
  ],
  [
    "what a success ended is no failure",
    { ...INDEXED, podReplacementPolicy: "Failed" },
    { completedIndexes: "1", succeeded: 1, conditions: [{ ...OK, reason: "SuccessPolicy" }] },
    "b #0 going",
    "release b",
    "ok 1, going 1, done 1, SuccessCriteriaMet(SuccessPolicy)",
  ],
];

describe("job plan", () => {
  for (const [what, spec, status, pods, writes, expected] of ROWS) {
    it(`${what}: "${pods}" → "${writes}"`, () => {
      const result = planned(job(spec, status), pods);
      assert.equal(steps(result), writes);
      assert.equal(told(result), expected);
    });
  }

  it("failures of Pods that are gone count for the wait", () => {
    const gone = [{ uid: "x", at: NOW - 15_000 }, { uid: "y", at: NOW - 5000 }]; // prettier-ignore
    assert.equal(steps(planned(job(), "", gone)), "wake 15s");
  });

  it("a Job that is being deleted lets its Pods go and creates none", () => {
    const going = job({ completions: 5 });
    const metadata = { ...going.metadata, deletionTimestamp: ago(1) };
    assert.equal(steps(planned({ ...going, metadata }, "a")), "release a");
  });

  it("a Pod of an index says it everywhere", () => {
    const [write] = planned(job(INDEXED), "").writes!;
    const { metadata, spec } = (write as { object: Pod }).object;
    assert.equal(metadata?.generateName, "job-0-");
    assert.deepEqual(metadata?.labels, { ...LABELS, [COMPLETION_INDEX]: "0" });
    assert.deepEqual(metadata?.finalizers, [JOB_TRACKING]);
    assert.equal(spec?.hostname, "job-0");
    const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
    assert.deepEqual(spec?.containers[0]?.env, [
      { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath } } },
    ]);
  });

  it("a long name leaves room for the index", () => {
    const long = job(INDEXED);
    const named = { ...long, metadata: { ...long.metadata, name: "x".repeat(60) } };
    const names = planned(named, "").writes!.map(
      (write) => (write as { object: Pod }).object.metadata?.generateName,
    );
    assert.equal(names[2], `${"x".repeat(55)}-2-`);
  });

  it("a replacement carries on the failures of its index", () => {
    const [write] = planned(job(PER_INDEX), "a #0 failed | b #1 | c #2").writes!;
    const { annotations } = (write as { object: Pod }).object.metadata!;
    assert.equal(annotations?.[INDEX_FAILURES], "1");
  });

  it("lets a failed Pod go without a replacement when its namespace ends: none can come", () => {
    const recorded = job(PER_INDEX, { uncountedTerminatedPods: { failed: ["a"] } });
    const pods = ["a #0 failed @4", "c #2"].map(pod);
    const observed = { job: recorded, pods, gone: [] };
    assert.equal(steps(planJob(observed, NOW)), "+#1 wake 6s");
    assert.equal(steps(planJob({ ...observed, isPlaceEnding: true }, NOW)), "release a");
  });

  it("says what a failure policy matched", () => {
    const { conditions } = statusOf(planned(job(rule("FailJob", EXIT_3)), "a failed exit 3"));
    assert.equal(
      conditions?.[0]?.message,
      "Container c for pod d/a failed with exit code 3 matching FailJob rule at index 0",
    );
    const byCondition = statusOf(planned(job(rule("FailJob", DISRUPTED)), "a failed disrupted"));
    assert.equal(
      byCondition.conditions?.[0]?.message,
      "Pod d/a has condition DisruptionTarget matching FailJob rule at index 0",
    );
  });

  it("begins when it is first not suspended, and anew when it is resumed", () => {
    const fresh = { ...job(), status: {} };
    assert.equal(statusOf(planned(fresh, "")).startTime, "2026-01-01T01:00:00Z");
    const suspended = planned({ ...job({ suspend: true }), status: { startTime: START } }, "");
    assert.equal(statusOf(suspended).startTime, undefined);
    const resumed = job({}, { conditions: [{ type: "Suspended", status: "True" }] });
    assert.equal(statusOf(planned(resumed, "")).startTime, "2026-01-01T01:00:00Z");
  });

  it("tells of its end once that stands in the status", () => {
    const { events, writes } = planned(job({}, { succeeded: 1, conditions: [OK] }), "");
    assert.deepEqual(events, [
      { type: "Normal", reason: "Completed", message: "Job completed", afterWrite: 0 },
    ]);
    assert.deepEqual([writes?.[0]?.verb, writes?.[0]?.kind], ["update", Job]);
    const failed = planned(job({}, { conditions: [TARGET] }), "");
    assert.deepEqual(
      failed.events?.map(({ type, reason, message }) => [type, reason, message]),
      [["Warning", "BackoffLimitExceeded", "m"]],
    );
  });

  it("tells of Pods that come and go", () => {
    const messages = ({ events }: Plan): unknown =>
      events?.map(({ type, reason, message }) => [type, reason, message]);
    assert.deepEqual(messages(planned(job(), "")), [
      ["Normal", "SuccessfulCreate", "Created pod: {name}"],
      ["Warning", "FailedCreate", "Error creating: {error}"],
    ]);
    assert.deepEqual(messages(planned(job({ parallelism: 0 }), "a")), [
      ["Normal", "SuccessfulDelete", "Deleted pod: a"],
      ["Warning", "FailedDelete", "Error deleting: {error}"],
    ]);
  });

  it("decides nothing when Pods could not be written", () => {
    const result = planned(job({ backoffLimit: 0 }, {}), "a failed | b");
    const failure = { write: result.writes![0]!, message: "no" };
    const status = result.statusOnFailure!(failure) as JobStatus;
    assert.deepEqual([status.active, status.conditions], [1, undefined]);
  });
});
