import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1JobSpec, V1JobStatus } from "../../gen/types.ts";
import { countIndexes, IndexSet } from "./index-set.ts";
import { jobResource, type Job } from "./job.ts";

const { strategy, subresources, columns } = jobResource;
const FACTS = { now: 0, user: "u", uid: "uid-1" };

const template = {
  metadata: { labels: { app: "x" } },
  spec: { containers: [{ name: "c", image: "i" }], restartPolicy: "Never" },
};

const given = (spec: Partial<V1JobSpec> = {}): Job =>
  strategy.withDefaults({ metadata: { name: "job" }, spec: { template, ...spec } });

/** As the server stores it. */
function stored(spec: Partial<V1JobSpec> = {}, status?: V1JobStatus): Job {
  const prepared = strategy.prepareForCreate(given(spec), FACTS);
  const metadata = { ...prepared.metadata, uid: "uid-1" };
  return { ...prepared, metadata, ...(status && { status }) };
}

function row(spec: Partial<V1JobSpec>, ...expected: string[]): void {
  it(`${JSON.stringify(spec)} → ${expected.length || "fine"}`, () => {
    assert.deepEqual(errorLines(strategy.validate(stored(spec))), expected);
  });
}

describe("defaults of a Job", () => {
  it("are upstream's", () => {
    const { template: _, ...spec } = given().spec!;
    assert.deepEqual(spec, {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: "TerminatingOrFailed",
    });
    assert.deepEqual(given().metadata?.labels, { app: "x" }, "its template's labels");
  });

  it("with one of parallelism and completions the other is not 1 by itself", () => {
    assert.deepEqual(
      [given({ parallelism: 3 }).spec?.completions, given({ completions: 3 }).spec?.parallelism],
      [undefined, 1],
    );
  });

  it("with limits for each index the Job itself has none, with a failure policy Pods are replaced when ended", () => {
    const indexed = { completionMode: "Indexed", completions: 1, backoffLimitPerIndex: 1 };
    assert.equal(given(indexed).spec?.backoffLimit, 2 ** 31 - 1);
    const policy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "A" }] }] };
    const { spec } = given({ podFailurePolicy: policy });
    assert.equal(spec?.podReplacementPolicy, "Failed");
    assert.equal(spec?.podFailurePolicy?.rules[0]?.onPodConditions?.[0]?.status, "True");
  });

  it("change nothing the second time", () => {
    const once = given();
    assert.equal(strategy.withDefaults(once), once);
  });
});

describe("the selector of a Job", () => {
  it("is generated from its uid, as labels of its Pods", () => {
    const { selector, template: made } = stored().spec!;
    assert.deepEqual(selector, { matchLabels: { "batch.kubernetes.io/controller-uid": "uid-1" } });
    assert.deepEqual(made.metadata?.labels, {
      app: "x",
      "batch.kubernetes.io/job-name": "job",
      "job-name": "job",
      "batch.kubernetes.io/controller-uid": "uid-1",
      "controller-uid": "uid-1",
    });
  });

  it("is the client's with manualSelector", () => {
    const selector = { matchLabels: { app: "x" } };
    const job = stored({ manualSelector: true, selector });
    assert.deepEqual(job.spec?.selector, selector);
    assert.deepEqual(errorLines(strategy.validate(job)), []);
  });

  it("conflicts with labels of the client's", () => {
    const labels = { "job-name": "other" };
    assert.deepEqual(
      errorLines(strategy.validate(stored({ template: { ...template, metadata: { labels } } }))),
      ["spec.template.metadata.labels[job-name] Invalid: must be 'job'"],
    );
    assert.deepEqual(
      errorLines(strategy.validate(stored({ selector: { matchLabels: { app: "x" } } }))),
      ["spec.selector Invalid: `selector` not auto-generated"],
    );
  });
});

describe("a Job", () => {
  row({});
  row({ parallelism: -1 }, "spec.parallelism Invalid: must be greater than or equal to 0");
  row({ ttlSecondsAfterFinished: -1 }, "spec.ttlSecondsAfterFinished Invalid: must be greater than or equal to 0"); // prettier-ignore
  row(
    { template: { ...template, spec: { ...template.spec, restartPolicy: "Always" } } },
    'spec.template.spec.restartPolicy Required: valid values: "OnFailure", "Never"',
  );
  row(
    { completionMode: "Sorted" },
    'spec.completionMode NotSupported: supported values: "NonIndexed", "Indexed"',
  );
  row(
    { completionMode: "Indexed", parallelism: 1 },
    "spec.completions Required: when completion mode is Indexed",
  );
  row(
    { backoffLimitPerIndex: 1 },
    "spec.backoffLimitPerIndex Invalid: requires indexed completion mode",
  );
  row(
    { completionMode: "Indexed", completions: 2, maxFailedIndexes: 3 },
    "spec.backoffLimitPerIndex Required: when maxFailedIndexes is specified",
    "spec.maxFailedIndexes Invalid: must be less than or equal to completions",
  );
  row(
    { managedBy: "me" },
    'spec.managedBy Invalid: must be a domain-prefixed path (such as "acme.io/foo")',
  );
  row({ managedBy: "example.com/controller" });
  row(
    { podReplacementPolicy: "Never" },
    'spec.podReplacementPolicy NotSupported: supported values: "Failed", "TerminatingOrFailed"',
  );
  row(
    { podFailurePolicy: { rules: [{ action: "Stop" }] } },
    'spec.podFailurePolicy.rules[0].action NotSupported: supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    "spec.podFailurePolicy.rules[0] Invalid: specifying one of OnExitCodes and OnPodConditions is required",
  );
  row(
    {
      podFailurePolicy: {
        rules: [
          { action: "FailIndex", onExitCodes: { operator: "In", values: [3, 0, 3], containerName: "d" } }, // prettier-ignore
        ],
      },
    },
    "spec.podFailurePolicy.rules[0].action Invalid: requires the backoffLimitPerIndex to be set",
    "spec.podFailurePolicy.rules[0].onExitCodes.containerName Invalid: must be one of the container or initContainer names in the pod template",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[1] Invalid: must not be 0 for the In operator",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[2] Duplicate 3",
    "spec.podFailurePolicy.rules[0].onExitCodes.values Invalid: must be ordered",
  );
  row(
    { successPolicy: { rules: [{ succeededCount: 1 }] } },
    "spec.successPolicy Invalid: requires indexed completion mode",
  );
  row(
    {
      completionMode: "Indexed",
      completions: 3,
      successPolicy: { rules: [{}, { succeededIndexes: "1-5" }, { succeededIndexes: "0", succeededCount: 2 }] }, // prettier-ignore
    },
    "spec.successPolicy.rules[0] Required: at least one of succeededCount or succeededIndexes must be specified",
    'spec.successPolicy.rules[1].succeededIndexes Invalid: error parsing succeededIndexes: too large index: "5"',
    "spec.successPolicy.rules[2].succeededCount Invalid: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)",
  );

  it("of many indexes needs a name that leaves room for them", () => {
    const job = stored({ completionMode: "Indexed", completions: 10_000 });
    const named = { ...job, metadata: { ...job.metadata, name: "x".repeat(60) } };
    const lines = errorLines(strategy.validate(named)).join("\n");
    assert.match(
      lines,
      /metadata.name Invalid: will not able to create pod with invalid DNS label/,
    );
  });

  it("shows what has become of it", () => {
    const NOW = Date.UTC(2026, 0, 1, 1);
    const cells = (job: Job): unknown[] => columns.map((column) => column.cell(job, NOW));
    const startTime = "2026-01-01T00:59:00Z";
    assert.deepEqual(cells(stored({ completions: 3 }, { startTime, succeeded: 1 })), [
      ...["job", "Running", "1/3", "60s", "<unknown>", "c", "i"],
      "batch.kubernetes.io/controller-uid=uid-1",
    ]);
    const shown = (status: V1JobStatus, spec: Partial<V1JobSpec> = {}): unknown[] =>
      cells(stored(spec, status)).slice(1, 4);
    const is = (type: string): { conditions: { type: string; status: string }[] } => ({
      conditions: [{ type, status: "True" }],
    });
    const ended = { startTime, completionTime: "2026-01-01T00:59:05Z", succeeded: 1 };
    assert.deepEqual(shown({ ...is("Complete"), ...ended }), ["Complete", "1/1", "5s"]);
    assert.deepEqual(shown(is("Failed")), ["Failed", "0/1", ""]);
    assert.deepEqual(shown(is("Suspended")), ["Suspended", "0/1", ""]);
    assert.deepEqual(shown(is("FailureTarget"), { parallelism: 2 })[0], "FailureTarget");
    assert.deepEqual(shown({}, { parallelism: 2 })[1], "0/1 of 2");
  });
});

describe("an update of a Job", () => {
  const updated = (old: Job, change: Partial<V1JobSpec>): string[] =>
    errorLines(strategy.validateUpdate({ ...old, spec: { ...old.spec!, ...change } }, old));
  const withPod = (job: Job, podSpec: object): Partial<V1JobSpec> => ({
    template: { ...job.spec!.template, spec: { ...job.spec!.template.spec!, ...podSpec } },
  });

  it("may change parallelism and suspension, not completions", () => {
    assert.deepEqual(updated(stored(), { parallelism: 5, suspend: true }), []);
    assert.deepEqual(updated(stored(), { completions: 5 }), [
      "spec.completions Invalid: field is immutable",
    ]);
  });

  it("may change completions of an Indexed one with its parallelism", () => {
    const old = stored({ completionMode: "Indexed", completions: 2, parallelism: 2 });
    assert.deepEqual(updated(old, { completions: 3, parallelism: 3 }), []);
    assert.deepEqual(updated(old, { completions: 3 }), [
      "spec.completions Invalid: can only be modified in tandem with spec.parallelism",
    ]);
  });

  it("keeps the template while it runs", () => {
    const old = stored();
    assert.deepEqual(updated(old, withPod(old, { nodeSelector: { zone: "a" } })), [
      "spec.template Invalid: field is immutable",
    ]);
  });

  it("may change where Pods go and what they get while it is suspended, nothing else", () => {
    const old = stored({ suspend: true });
    const [container] = old.spec!.template.spec!.containers;
    const resources = { requests: { cpu: "2" } };
    const freely = {
      nodeSelector: { zone: "a" },
      tolerations: [{ operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      containers: [{ ...container!, resources }],
    };
    assert.deepEqual(updated(old, withPod(old, freely)), []);
    const image = { containers: [{ ...container!, image: "other" }] };
    const refused = ["spec.template Invalid: field is immutable"];
    assert.deepEqual(updated(old, withPod(old, image)), refused);
    assert.deepEqual(updated({ ...old, status: { active: 1 } }, withPod(old, freely)), refused);
    const started = { ...old, status: { startTime: "2026-01-01T00:00:00Z" } };
    assert.deepEqual(updated(started, withPod(old, freely)), refused);
    const conditions = [{ type: "Suspended", status: "True" }];
    const again = { ...old, status: { ...started.status, conditions } };
    assert.deepEqual(updated(again, withPod(old, freely)), []);
  });
});

describe("the status of a Job", () => {
  const startTime = "2026-01-01T00:00:00Z";
  const is = (...types: string[]): { type: string; status: string }[] =>
    types.map((type) => ({ type, status: "True" }));
  const check = (old: V1JobStatus, status: V1JobStatus, spec: Partial<V1JobSpec> = {}): string[] =>
    errorLines(subresources!.status!.validateUpdate(stored(spec, status), stored(spec, old)));

  //    before, after, what is refused
  const ROWS: readonly (readonly [V1JobStatus, V1JobStatus, ...string[]])[] = [
    [{}, { active: 1, ready: 1, startTime }],
    [
      {},
      { succeeded: -1 },
      "status.succeeded Invalid: must be greater than or equal to 0",
      "status.succeeded Invalid: cannot decrease the succeeded counter",
    ],
    [{}, { ready: 1 }, "status.ready Invalid: cannot set more ready pods than active"],
    [
      { startTime },
      { startTime, conditions: is("Failed") },
      "status.conditions Invalid: cannot set Failed=True condition without the FailureTarget=true condition",
    ],
    [{ startTime }, { startTime, conditions: is("FailureTarget", "Failed") }],
    [
      { startTime },
      { startTime, conditions: is("SuccessCriteriaMet", "Complete") },
      "status.completionTime Required: completionTime is required for Complete jobs",
    ],
    [
      { startTime, conditions: is("FailureTarget") },
      { startTime },
      "status.conditions Invalid: cannot disable the terminal FailureTarget=True condition",
    ],
    [
      { startTime },
      { startTime: "2026-01-01T01:00:00Z" },
      "status.startTime Required: startTime cannot be removed for unsuspended job",
    ],
    [
      { startTime, conditions: is("FailureTarget") },
      { startTime, terminating: 1, conditions: is("FailureTarget", "Failed") },
      "status.terminating Invalid: terminating>0 is invalid for finished job",
    ],
    [
      {},
      { uncountedTerminatedPods: { succeeded: ["a"], failed: ["a", ""] } },
      "status.uncountedTerminatedPods.failed[0] Duplicate a",
      "status.uncountedTerminatedPods.failed[1] Invalid: must not be empty",
    ],
    [{ failed: 2 }, { failed: 1 }, "status.failed Invalid: cannot decrease the failed counter"],
    [
      {},
      { completedIndexes: "1" },
      'status.completedIndexes Invalid: error parsing completedIndexes: too large index: "1"',
      "status.completedIndexes Invalid: cannot set non-empty completedIndexes when non-indexed completion mode",
    ],
  ];
  for (const [old, status, ...expected] of ROWS) {
    it(`${JSON.stringify(old)} → ${JSON.stringify(status)}`, () =>
      assert.deepEqual(check(old, status), expected));
  }

  it("has no index in both lists", () => {
    const spec = { completionMode: "Indexed", completions: 9, backoffLimitPerIndex: 1 };
    assert.deepEqual(check({}, { completedIndexes: "0-3", failedIndexes: "3,5" }, spec), [
      "status.failedIndexes Invalid: failedIndexes and completedIndexes overlap at index: 3",
    ]);
  });
});

describe("sets of indexes", () => {
  const text = (...indexes: number[]): string => IndexSet.of(indexes).toString();

  it("are written as runs", () => {
    assert.deepEqual(
      [text(), text(1), text(2, 1), text(5, 1, 3, 4, 7), text(0, 1, 2, 4, 5)],
      ["", "1", "1,2", "1,3-5,7", "0-2,4,5"],
    );
  });

  it("are read leniently, up to the number of completions", () => {
    const read = (given: string, completions: number): string =>
      IndexSet.parse(given, completions).toString();
    assert.deepEqual(
      [read("1,3-5,7", 9), read("1,3-5,7", 5), read("a,2,-,4-b,6", 9), read("0,1,2", 9)],
      ["1,3-5,7", "1,3,4", "2,6", "0-2"],
    );
  });

  it("know their members and what is missing", () => {
    const set = IndexSet.parse("1,3-5", 9);
    assert.deepEqual([0, 1, 2, 3, 5, 6].map((index) => set.has(index)), [false, true, false, true, true, false]); // prettier-ignore
    assert.deepEqual([set.firstMissing(3, 9), set.firstMissing(9, 7)], [[0, 2, 6], [0, 2, 6]]); // prettier-ignore
    const other = IndexSet.parse("2-4,8", 9);
    assert.deepEqual(
      [set.size, set.union(other).toString(), set.overlap(other), set.firstCommon(other)],
      [4, "1-5,8", 2, 3],
    );
  });

  it("are counted strictly", () => {
    const said = (given: string): number | string => {
      const counted = countIndexes(given, 9);
      return "count" in counted ? counted.count : counted.problem;
    };
    assert.deepEqual(["", "1,3-5", "1-2-3", "x", "3,2", "4-4", "2,1-4"].map(said), [
      0,
      4,
      "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'",
      'cannot convert string to integer for index: "x"',
      "non-increasing order, previous: 3, current: 2",
      "non-increasing order, previous: 4, current: 4",
      "non-increasing order, previous: 2, current: 1",
    ]);
  });
});
