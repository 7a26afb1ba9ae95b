import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import type { V1ContainerStatus, V1PodStatus } from "../../gen/types.ts";
import { PULL_ERROR_SHOWN_MS, containerStatus } from "./container-status.ts";
import type { ObservedPod } from "../plan/observed.ts";
import { qosClassOf } from "../runtime/qos.ts";
import { readySandbox } from "../runtime/pod-runtime.ts";
import { appContainers, ephemeralContainers, initContainers } from "../runtime/pod-spec.ts";
import { conditionsOf } from "./conditions.ts";
import { phaseOf, type PodPhase } from "./phase.ts";

/**
 * The whole status of a Pod, out of what is observed. A Pod that has ended never goes back to another phase.
 *
 * @spec k8s@1.36 pkg/kubelet/kubelet_pods.go generateAPIPodStatus
 */
export function podStatus(observed: ObservedPod, now: Instant): V1PodStatus {
  const { pod, memory } = observed;
  const old = pod.status;
  const statusOf = (container: Parameters<typeof containerStatus>[1]): V1ContainerStatus =>
    containerStatus(observed, container, now);
  const inits = initContainers(pod).map(statusOf);
  const containers = appContainers(pod).map(statusOf);
  // Nobody asks whether a container for debugging has started.
  const ephemerals = ephemeralContainers(pod)
    .map(statusOf)
    .map(({ started: _, ...status }): V1ContainerStatus => status);
  const phase = finalPhase(observed, inits, containers);
  const generation = pod.metadata?.generation;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: conditionsOf(observed, phase, inits, containers, now),
    ...explanation(observed, phase),
    ...addresses(observed),
    startTime: old?.startTime ?? formatTime(memory.firstSeenAt),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: containers,
    ...(ephemerals.length > 0 ? { ephemeralContainerStatuses: ephemerals } : {}),
    qosClass: old?.qosClass ?? qosClassOf(pod),
    ...ofOthers(old),
  };
}

/** What others write into a Pod's status. @spec k8s@1.36 pkg/kubelet/status/status_manager.go mergePodStatus */
function ofOthers(old: V1PodStatus | undefined): Partial<V1PodStatus> {
  const { resourceClaimStatuses, extendedResourceClaimStatus } = old ?? {};
  return {
    ...(resourceClaimStatuses ? { resourceClaimStatuses } : {}),
    ...(extendedResourceClaimStatus ? { extendedResourceClaimStatus } : {}),
  };
}

/** The phase alone; what the plan asks. */
export function currentPhase(observed: ObservedPod, now: Instant): PodPhase {
  const { pod } = observed;
  return finalPhase(
    observed,
    initContainers(pod).map((container) => containerStatus(observed, container, now)),
    appContainers(pod).map((container) => containerStatus(observed, container, now)),
  );
}

/** While a container may run or is being started, a Pod has not ended: whoever counts on its room would get too much. */
function finalPhase(
  { pod, memory, busy }: ObservedPod,
  inits: readonly V1ContainerStatus[],
  containers: readonly V1ContainerStatus[],
): PodPhase {
  const old = pod.status?.phase;
  if (old === "Failed" || old === "Succeeded") return old;
  const isStopped =
    [...inits, ...containers].every(({ state }) => !state?.running) && !busy.has("start");
  const isForced = memory.termination?.reason === "deadline" || memory.termination?.eviction;
  if (isForced && isStopped) return "Failed";
  const isEnding = memory.termination !== undefined && isStopped;
  return phaseOf(pod, inits, containers, isEnding);
}

function explanation(
  { pod, memory }: ObservedPod,
  phase: PodPhase,
): Pick<V1PodStatus, "reason" | "message"> {
  const hasFailed = phase === "Failed";
  if (hasFailed && memory.termination?.reason === "deadline")
    return {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    };
  if (hasFailed && memory.termination?.eviction)
    return { reason: "Evicted", message: memory.termination.eviction.message };
  const { reason, message } = pod.status ?? {};
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function addresses({ pod, runtime, node }: ObservedPod): Partial<V1PodStatus> {
  const hostIPs = node.ips.map((ip) => ({ ip }));
  const sandbox = readySandbox(runtime);
  const own = pod.spec?.hostNetwork && sandbox ? node.ips : (sandbox?.ips ?? []);
  const known = pod.status?.podIPs?.map(({ ip }) => ip) ?? [];
  const ips = own.length > 0 ? own : known;
  return {
    ...(node.ips[0] === undefined ? {} : { hostIP: node.ips[0], hostIPs }),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
  };
}

/** When the status changes although nothing happens: a failed pull turns from error to back-off. */
export function statusChangesAt({ memory }: ObservedPod, now: Instant): Instant | undefined {
  const times = [...memory.images.values()].flatMap((image) =>
    image.kind === "failed" && image.reason === "ErrImagePull"
      ? [image.at + PULL_ERROR_SHOWN_MS]
      : [],
  );
  const next = Math.min(...times.filter((time) => time > now));
  return Number.isFinite(next) ? next : undefined;
}

/** When the Pod began on this node. */
export function startTimeOf({ pod, memory }: ObservedPod): Instant {
  const text = pod.status?.startTime;
  return text === undefined ? memory.firstSeenAt : parseTime(text);
}
