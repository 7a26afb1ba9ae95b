import { formatTime, type Instant } from "../../base/clock.ts";
import type { V1ContainerStatus, V1Pod, V1PodCondition } from "../../gen/types.ts";
import type { ObservedPod } from "../plan/observed.ts";
import { isResizeInProgress } from "../plan/plan-resize.ts";
import { readySandbox } from "../runtime/pod-runtime.ts";
import { appContainers, initContainers, isSidecar } from "../runtime/pod-spec.ts";
import type { PodPhase } from "./phase.ts";

type Verdict = Pick<V1PodCondition, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };

/** A change of resources that waits, or is under way; absent when there is none. @spec KEP-1287 */
const RESIZE_TYPES = ["PodResizePending", "PodResizeInProgress"] as const;

/** The condition types that the kubelet always writes, in upstream's order. @spec pkg/kubelet/types/pod_status.go */
const TYPES = [
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
] as const;

/**
 * The Pod's conditions: those of others as they are, then the kubelet's own.
 *
 * @spec k8s@1.36 pkg/kubelet/status/generate.go
 */
export function conditionsOf(
  observed: ObservedPod,
  phase: PodPhase,
  inits: readonly V1ContainerStatus[],
  containers: readonly V1ContainerStatus[],
  now: Instant,
): readonly V1PodCondition[] {
  const { pod } = observed;
  const containersReady = containersReadyVerdict(pod, phase, inits, containers);
  const verdicts: Record<(typeof TYPES)[number], Verdict> = {
    PodReadyToStartContainers: { status: hasNetwork(observed) ? "True" : "False" },
    Initialized: initializedVerdict(pod, phase, inits, containers),
    Ready: readyVerdict(pod, containersReady),
    ContainersReady: containersReady,
    PodScheduled: TRUE,
  };
  const own = TYPES.map((type) => condition(pod, type, verdicts[type], now));
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !isKubeletCondition(type));
  const resize = resizeConditions(observed, phase, now);
  const { eviction } = observed.memory.termination ?? {};
  if (!eviction) return [...foreign, ...resize, ...own];
  const verdict = { status: "True", reason: "TerminationByKubelet", message: eviction.message };
  return [
    ...foreign.filter(({ type }) => type !== DISRUPTION),
    ...resize,
    condition(pod, DISRUPTION, verdict, now),
    ...own,
  ];
}

/** @spec k8s@1.36 pkg/kubelet/status/status_manager.go updatedPodResizeCondition; kubelet_pods.go determinePodResizeStatus */
function resizeConditions(
  observed: ObservedPod,
  phase: PodPhase,
  now: Instant,
): readonly V1PodCondition[] {
  const { pod, memory } = observed;
  if (phase === "Succeeded" || phase === "Failed" || memory.termination) return [];
  const { pending, granted, error } = memory.resize ?? {};
  const conditions: V1PodCondition[] = [];
  if (pending) {
    const { reason, message, generation } = pending;
    const verdict = { status: "True", reason, message };
    conditions.push(at(condition(pod, "PodResizePending", verdict, now), generation));
  }
  if (isResizeInProgress(observed)) {
    const why = error === undefined ? {} : { reason: "Error", message: error };
    const found = condition(pod, "PodResizeInProgress", { status: "True", ...why }, now);
    conditions.push(at(found, granted ?? pod.metadata?.generation ?? 0));
  }
  return conditions;
}

function at(condition: V1PodCondition, observedGeneration: number): V1PodCondition {
  return { ...condition, observedGeneration };
}

/** Says that a Pod does not end by itself. @spec KEP-3329 */
const DISRUPTION = "DisruptionTarget";

/** True for the conditions that the kubelet alone writes. */
export function isKubeletCondition(type: string): boolean {
  return (TYPES as readonly string[]).includes(type) || isResizeCondition(type);
}

function isResizeCondition(type: string): boolean {
  return (RESIZE_TYPES as readonly string[]).includes(type);
}

function condition(pod: V1Pod, type: string, verdict: Verdict, now: Instant): V1PodCondition {
  const old = pod.status?.conditions?.find((candidate) => candidate.type === type);
  const isSame =
    old?.status === verdict.status && (!isResizeCondition(type) || old.reason === verdict.reason);
  const lastTransitionTime = (isSame ? old?.lastTransitionTime : undefined) ?? formatTime(now);
  const generation = pod.metadata?.generation;
  return {
    type,
    ...verdict,
    lastTransitionTime,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function hasNetwork({ pod, runtime }: ObservedPod): boolean {
  const sandbox = readySandbox(runtime);
  return sandbox !== undefined && (pod.spec?.hostNetwork === true || sandbox.ips.length > 0);
}

function initializedVerdict(
  pod: V1Pod,
  phase: PodPhase,
  inits: readonly V1ContainerStatus[],
  containers: readonly V1ContainerStatus[],
): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const hasAppRun = containers.some(({ containerID }) => containerID !== undefined);
  if (hasAppRun && initContainers(pod).length > 0) return TRUE;
  const incomplete = initContainers(pod)
    .filter((container) => {
      const status = inits.find(({ name }) => name === container.name);
      return isSidecar(container) ? !status?.started : !status?.ready;
    })
    .map(({ name }) => name);
  if (incomplete.length === 0) return TRUE;
  const message = `containers with incomplete status: [${incomplete.join(" ")}]`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}

function containersReadyVerdict(
  pod: V1Pod,
  phase: PodPhase,
  inits: readonly V1ContainerStatus[],
  containers: readonly V1ContainerStatus[],
): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const sidecars = initContainers(pod).filter(isSidecar);
  const unready = [
    ...sidecars.filter(({ name }) => !inits.find((status) => status.name === name)?.ready),
    ...appContainers(pod).filter(
      ({ name }) => !containers.find((status) => status.name === name)?.ready,
    ),
  ].map(({ name }) => name);
  if (unready.length === 0) return TRUE;
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

function readyVerdict(pod: V1Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const problems = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = pod.status?.conditions?.find(({ type }) => type === conditionType);
    const quoted = JSON.stringify(conditionType);
    if (!gate) return [`corresponding condition of pod readiness gate ${quoted} does not exist.`];
    if (gate.status === "True") return [];
    return [`the status of pod readiness gate ${quoted} is not "True", but ${gate.status}`];
  });
  if (problems.length === 0) return TRUE;
  return { status: "False", reason: "ReadinessGatesNotReady", message: problems.join(", ") };
}
