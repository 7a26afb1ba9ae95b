import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1LimitRange, V1Pod, V1PodStatus, V1ResourceQuota } from "../../gen/types.ts";
import type { Finding } from "./finding.ts";
import { explainRefusal, type Limits } from "./refusals.ts";
import { explainWorkload, type Workload, type WorkloadWorld } from "./workload.ts";

const NO_LIMITS: Limits = { quotas: [], limitRanges: [] };

function quota(name: string, hard: string, used: string): V1ResourceQuota {
  const list = (text: string): Record<string, string> =>
    Object.fromEntries(text.split(",").map((pair) => pair.split("=") as [string, string]));
  return { metadata: { name }, spec: { hard: list(hard) }, status: { used: list(used) } };
}

const EXCEEDED =
  'pods "web-1" is forbidden: exceeded quota: team, requested: pods=1,requests.cpu=500m, ' +
  "used: pods=2,requests.cpu=2, limited: pods=9,requests.cpu=2";

describe("explainRefusal", () => {
  const range: V1LimitRange = { metadata: { name: "sizes" } };
  //  what the server said, the limits → what would help
  const rows: readonly (readonly [string, Limits, string | undefined])[] = [
    [
      EXCEEDED,
      NO_LIMITS,
      "a larger quota team (kubectl edit resourcequota team), less asked for, or less in use: requests.cpu: asks for 500m, 2 of 2 is used",
    ],
    [
      EXCEEDED,
      { ...NO_LIMITS, quotas: [quota("team", "pods=9,requests.cpu=3", "pods=9,requests.cpu=1")] },
      "a larger quota team (kubectl edit resourcequota team), less asked for, or less in use: pods: asks for 1, 9 of 9 is used",
    ],
    [
      EXCEEDED,
      { ...NO_LIMITS, quotas: [quota("team", "pods=9,requests.cpu=2", "pods=1,requests.cpu=1")] },
      "there is room in the quota team now: it will be tried again",
    ],
    [
      EXCEEDED,
      { ...NO_LIMITS, quotas: [quota("other", "pods=9", "pods=1")] },
      "the quota team is gone: it will be tried again",
    ],
    [
      'pods "web-1" is forbidden: failed quota: team: must specify limits.cpu for: app',
      NO_LIMITS,
      "the quota team counts it: specify limits.cpu for: app, or give a default with a LimitRange",
    ],
    [
      'pods "web-1" is forbidden: minimum cpu usage per Container is 100m, but request is 50m',
      { ...NO_LIMITS, limitRanges: [range] },
      "requests and limits within the LimitRange sizes, or a wider one (kubectl edit limitrange sizes)",
    ],
    [
      'pods "web-1" is forbidden: [cpu max limit to request ratio per Pod is 2, but provided ratio is 4.000000]',
      NO_LIMITS,
      "requests and limits within the namespace's LimitRange",
    ],
    [
      'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      NO_LIMITS,
      "a securityContext as the level restricted asks for, or another level of the namespace (label pod-security.kubernetes.io/enforce)",
    ],
    [
      'pods "web-1" is forbidden: error looking up service account default/web: serviceaccount "web" not found',
      NO_LIMITS,
      "create the serviceaccount web",
    ],
    [
      'pods "web-1" is forbidden: no PriorityClass with name high was found',
      NO_LIMITS,
      "create the priorityclass high",
    ],
    ["the server is on fire", NO_LIMITS, undefined],
  ];
  for (const [message, limits, remedy] of rows)
    it(`${message.replace(/^.*forbidden: /, "").slice(0, 60)} → ${remedy?.slice(0, 30)}`, () => {
      const found = explainRefusal(message, limits);
      assert.deepEqual([found.problem, found.remedy], [message, remedy]);
    });
});

describe("explainWorkload", () => {
  const ready: V1PodStatus = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const named = (name: string, status: V1PodStatus, nodeName?: string): V1Pod =>
    pod(name, { spec: nodeName ? { nodeName } : {}, status });
  const world = (workload: Workload, parts: Partial<WorkloadWorld> = {}): WorkloadWorld => ({
    kind: "Deployment",
    workload,
    pods: [],
    events: [],
    podEvents: new Map(),
    limits: NO_LIMITS,
    ...parts,
  });
  const problems = (findings: readonly Finding[]): readonly string[] =>
    findings.map(({ problem }) => problem);

  it("has nothing to say of one that has what it should", () => {
    const pods = [named("a", ready, "n"), named("b", ready, "n")];
    assert.deepEqual(explainWorkload(world({ spec: { replicas: 2 } }, { pods })), {
      summary: "It has 2 of 2 Pods; 2 of them are ready.",
      findings: [],
    });
  });

  it("quotes why its Pods are refused, from its condition or from the newest event", () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", message: "old" }];
    const workload = { spec: { replicas: 2 }, status: { conditions } };
    assert.deepEqual(problems(explainWorkload(world(workload)).findings), ["old"]);
    const events = [
      { reason: "FailedCreate", message: EXCEEDED, lastTimestamp: "2026-01-02T00:00:00Z" },
      { reason: "FailedCreate", message: "earlier", lastTimestamp: "2026-01-01T00:00:00Z" },
      { reason: "ScalingReplicaSet", message: "later", lastTimestamp: "2026-01-03T00:00:00Z" },
    ];
    const [found] = explainWorkload(world(workload, { events })).findings;
    assert.equal(found!.problem, EXCEEDED);
    assert.match(found!.remedy!, /larger quota team/);
  });

  it("forgets a refusal when all Pods are there", () => {
    const events = [{ reason: "FailedCreate", message: "once" }];
    const pods = [named("a", ready, "n")];
    assert.deepEqual(explainWorkload(world({}, { events, pods })).findings, []);
  });

  it("says of its Pods what they wait for, and counts the others", () => {
    const message = "0/1 nodes are available: 1 Insufficient cpu.";
    const refused = [{ type: "PodScheduled", status: "False", message }];
    const pods = [
      named("unplaced", { phase: "Pending", conditions: refused }),
      named("placed", { phase: "Pending" }, "n1"),
      ...Array.from({ length: 5 }, (_, index) => named(`more-${index}`, {}, "n1")),
    ];
    const { summary, findings } = explainWorkload(world({ spec: { replicas: 7 } }, { pods }));
    assert.equal(summary, "It has 7 of 7 Pods; 0 of them are ready.");
    assert.deepEqual(
      problems(findings).filter((_, index) => [0, 1, 5].includes(index)),
      [
        `pod/unplaced: it has no node: ${message}`,
        "pod/placed: the kubelet of n1 has not begun with it",
        "2 more Pods are not ready",
      ],
    );
    assert.equal(findings[0]!.more, "skiff why pod/unplaced");
  });

  it("tells what holds it: paused, suspended, too late, failed", () => {
    const conditions = (type: string, status: string): Workload["status"] => ({
      conditions: [{ type, status, reason: "Why", message: "words" }],
    });
    for (const [workload, expected] of [
      [{ spec: { paused: true, replicas: 0 } }, /^it is paused/],
      [{ spec: { suspend: true, replicas: 0 } }, /^it is suspended/],
      [{ status: conditions("Progressing", "False")! }, /^Progressing is False: Why: words$/],
      [{ status: conditions("Failed", "True")! }, /^Failed is True: Why: words$/],
    ] as const)
      assert.match(explainWorkload(world(workload)).findings[0]!.problem, expected);
  });

  it("gives commands that name it and its namespace", () => {
    const metadata = { name: "web", namespace: "shop" };
    const paused = explainWorkload(world({ metadata, spec: { paused: true, replicas: 0 } }));
    assert.equal(paused.findings[0]!.remedy, "kubectl rollout resume deployment web -n shop");
    for (const [message, ...commands] of [
      [EXCEEDED, "edit resourcequota team", "describe resourcequota team"],
      ["failed quota: team: must specify limits.cpu for: app", "describe resourcequota team"],
      ["minimum cpu usage per Container is 100m", "edit limitrange s", "describe limitrange s"],
    ]) {
      const events = [{ reason: "FailedCreate", message: message! }];
      const limits = { quotas: [], limitRanges: [{ metadata: { name: "s" } }] };
      const [found] = explainWorkload(world({ metadata }, { events, limits })).findings;
      for (const command of commands)
        assert.ok(`${found!.remedy} ${found!.more}`.includes(`kubectl ${command} -n shop`));
    }
  });

  it("counts what a Job still has to do", () => {
    const job = (spec: Workload["spec"], succeeded?: number): string =>
      explainWorkload(
        world({ spec: spec!, status: succeeded ? { succeeded } : {} }, { kind: "Job" }),
      ).summary;
    assert.match(job({ parallelism: 3, completions: 5 }), /^It has 0 of 3 Pods/);
    assert.match(job({ parallelism: 3, completions: 5 }, 4), /^It has 0 of 1 Pods/);
    assert.match(job({ parallelism: 3 }), /^It has 0 of 3 Pods/);
  });
});
