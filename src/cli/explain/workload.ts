import type { V1ObjectMeta, V1Pod } from "../../gen/types.ts";
import { commandFor, newest, told, type Finding, type Happening } from "./finding.ts";
import { podWaits } from "./pod-waits.ts";
import { explainRefusal, type Limits } from "./refusals.ts";

/** Something that makes Pods, as far as it is read here. */
export interface Workload {
  readonly metadata?: V1ObjectMeta;
  readonly spec?: {
    readonly replicas?: number;
    readonly parallelism?: number;
    readonly completions?: number;
    readonly paused?: boolean;
    readonly suspend?: boolean;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly succeeded?: number;
    readonly conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What a workload is explained by. */
export interface WorkloadWorld {
  /** `Deployment`, `Job` … */
  readonly kind: string;
  readonly workload: Workload;
  /** Those that are its own; of a Deployment those of its newest ReplicaSet. */
  readonly pods: readonly V1Pod[];
  /** About it, and of a Deployment about its newest ReplicaSet. */
  readonly events: readonly Happening[];
  /** By name: about its Pods. */
  readonly podEvents: ReadonlyMap<string, readonly Happening[]>;
  readonly limits: Limits;
}

/** How it is with a workload, in one sentence, and why it is not better. */
export interface WorkloadExplanation {
  readonly summary: string;
  readonly findings: readonly Finding[];
}

/** Pods that are told one by one; the others are counted. */
const PODS_MAX = 5;

/** Why a workload has not the Pods that it should have. */
export function explainWorkload(world: WorkloadWorld): WorkloadExplanation {
  const { kind, workload, pods } = world;
  const active = pods.filter(({ status }) => status?.phase !== "Succeeded");
  // One that has failed is told of below, and counts for nothing.
  const there = active.filter(({ status }) => status?.phase !== "Failed").length;
  const ready = active.filter(isReady);
  const findings = [
    ...held(world),
    ...refused(world, there),
    ...conditions(world),
    ...waiting(world, active),
  ];
  const wanted = wantedOf(kind, workload);
  const of = wanted === undefined ? `${there}` : `${there} of ${wanted}`;
  return { summary: `It has ${of} Pods; ${ready.length} of them are ready.`, findings };
}

function wantedOf(kind: string, { spec, status }: Workload): number | undefined {
  if (kind === "DaemonSet") return status?.desiredNumberScheduled;
  if (kind !== "Job") return spec?.replicas ?? 1;
  const { parallelism = 1, completions } = spec ?? {};
  if (completions === undefined) return parallelism;
  return Math.max(0, Math.min(parallelism, completions - (status?.succeeded ?? 0)));
}

function held({ kind, workload: { metadata, spec } }: WorkloadWorld): readonly Finding[] {
  if (spec?.suspend)
    return [{ problem: "it is suspended: nothing is begun", remedy: "spec.suspend: false" }];
  return spec?.paused
    ? [
        {
          problem: "it is paused: changes of its template are not rolled out",
          remedy: commandFor(
            metadata?.namespace,
            `rollout resume ${kind.toLowerCase()} ${metadata?.name}`,
          ),
        },
      ]
    : [];
}

/** The newest refusal, while Pods are missing. A condition says the same for longer than an event. */
function refused(
  { kind, workload, events, limits }: WorkloadWorld,
  active: number,
): readonly Finding[] {
  const failure = conditionOf(workload, "ReplicaFailure");
  const event = newest(events, "FailedCreate");
  const isShort = active < (wantedOf(kind, workload) ?? Infinity);
  const message =
    event?.message && isShort
      ? event.message
      : failure?.status === "True"
        ? failure.message
        : undefined;
  return message === undefined
    ? []
    : [explainRefusal(message, { ...limits, namespace: workload.metadata?.namespace })];
}

/** Conditions that say that something is wrong, other than that of a refusal. */
function conditions({ workload }: WorkloadWorld): readonly Finding[] {
  const bad = (type: string, status: string): readonly Finding[] => {
    const own = conditionOf(workload, type);
    if (own?.status !== status) return [];
    return [
      {
        problem: `${type} is ${status}${own.reason || own.message ? `: ${told(own.reason, own.message)}` : ""}`,
      },
    ];
  };
  return [
    ...bad("Progressing", "False"),
    ...bad("Failed", "True"),
    ...bad("FailureTarget", "True"),
  ];
}

function conditionOf({ status }: Workload, type: string): Condition | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

function waiting({ podEvents }: WorkloadWorld, pods: readonly V1Pod[]): readonly Finding[] {
  const unready = pods.filter((pod) => !isReady(pod));
  const told = unready.slice(0, PODS_MAX).map((pod) => {
    const name = pod.metadata?.name ?? "";
    const [first] = pod.spec?.nodeName ? podWaits(pod, podEvents.get(name) ?? []) : [unplaced(pod)];
    return {
      problem: `pod/${name}: ${first?.problem ?? "it is not ready yet"}`,
      ...(first?.remedy && { remedy: first.remedy }),
      more: `skiff why pod/${name}`,
    };
  });
  const left = unready.length - told.length;
  return left > 0 ? [...told, { problem: `${left} more Pods are not ready` }] : told;
}

function unplaced({ status, spec }: V1Pod): Finding {
  const condition = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (condition?.message) return { problem: `it has no node: ${condition.message}` };
  const gates = (spec?.schedulingGates ?? []).map(({ name }) => name);
  return {
    problem:
      gates.length > 0
        ? `it waits for its scheduling gates: ${gates.join(", ")}`
        : "it has no node yet",
  };
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}
