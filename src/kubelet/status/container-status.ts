import { formatTime, type Instant } from "../../base/clock.ts";
import type {
  V1Container,
  V1ContainerState,
  V1ContainerStateTerminated,
  V1ContainerStatus,
  V1Pod,
} from "../../gen/types.ts";
import { formatDelay, retryAt } from "../plan/back-off.ts";
import type { ObservedPod } from "../plan/observed.ts";
import { mustRestart } from "../plan/candidate.ts";
import { actualResources } from "../plan/plan-resize.ts";
import { newest, type ContainerState } from "../runtime/pod-runtime.ts";
import { initContainers, isSidecar, statusNamed } from "../runtime/pod-spec.ts";

/** How long a failed pull shows as `ErrImagePull` before `ImagePullBackOff`. Doubling hides the wait from short looks. */
export const PULL_ERROR_SHOWN_MS = 2000;

interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/**
 * The API's status of one container.
 *
 * @spec k8s@1.36 pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses
 */
export function containerStatus(
  observed: ObservedPod,
  container: V1Container,
  now: Instant,
): V1ContainerStatus {
  const { pod, runtime } = observed;
  const current = newest(runtime, container.name);
  const known = statusNamed(pod, container.name);
  const previous = runtime.containers.filter(({ name }) => name === container.name)[1];
  const waiting = current?.state === "running" ? undefined : waitingFor(observed, container, now);
  const state = stateOf(pod, container, current, known, waiting);
  const lastState = lastStateOf(current, previous, known, state);
  const isStarted = state.running !== undefined && hasStarted(observed, container, current!);
  return {
    name: container.name,
    state,
    lastState,
    ready: isReady(observed, container, current, state, isStarted),
    restartCount: current?.restartCount ?? known?.restartCount ?? 0,
    image: current?.image || (container.image ?? ""),
    imageID: current?.imageId ?? known?.imageID ?? "",
    ...containerIdOf(current, known),
    started: isStarted,
    ...resourcesOf(observed, container, current),
    ...volumeMountsOf(container),
    ...(current?.user ? { user: { linux: current.user } } : {}),
  };
}

function containerIdOf(
  current: ContainerState | undefined,
  known: V1ContainerStatus | undefined,
): Pick<V1ContainerStatus, "containerID"> {
  if (current) return { containerID: `containerd://${current.id}` };
  return known?.containerID === undefined ? {} : { containerID: known.containerID };
}

function stateOf(
  pod: V1Pod,
  container: V1Container,
  current: ContainerState | undefined,
  known: V1ContainerStatus | undefined,
  waiting: Waiting | undefined,
): V1ContainerState {
  if (current?.state === "running")
    return { running: { startedAt: formatTime(current.startedAt || current.createdAt) } };
  if (waiting) return { waiting };
  if (current?.state === "exited" || current?.state === "unknown")
    return { terminated: terminatedState(current) };
  if (known?.state?.terminated) return known.state;
  const isHeldBack = initContainers(pod).length > 0 && !initContainers(pod).includes(container);
  const isLaterInit = initContainers(pod).includes(container);
  return {
    waiting: { reason: isHeldBack || isLaterInit ? "PodInitializing" : "ContainerCreating" },
  };
}

/** A dead container as the API shows it. */
export function terminatedState(container: ContainerState): V1ContainerStateTerminated {
  const isUnknown = container.state === "unknown";
  return {
    containerID: `containerd://${container.id}`,
    exitCode: isUnknown ? 137 : container.exitCode,
    ...(container.finishedAt > 0 ? { finishedAt: formatTime(container.finishedAt) } : {}),
    ...(container.startedAt > 0 ? { startedAt: formatTime(container.startedAt) } : {}),
    reason: isUnknown ? "ContainerStatusUnknown" : container.reason,
    ...(container.message ? { message: container.message } : {}),
  };
}

function lastStateOf(
  current: ContainerState | undefined,
  previous: ContainerState | undefined,
  known: V1ContainerStatus | undefined,
  state: V1ContainerState,
): V1ContainerState {
  if (state.waiting && current && current.state !== "running" && current.state !== "created")
    return { terminated: terminatedState(current) };
  if (previous && previous.state === "exited") return { terminated: terminatedState(previous) };
  const isNewer =
    known?.containerID !== undefined && current && !known.containerID.endsWith(current.id);
  if (isNewer && known.state?.terminated) return { terminated: known.state.terminated };
  return known?.lastState ?? {};
}

/** Why a container does not run although it should; `undefined`: it is at rest, or nothing special is known. */
function waitingFor(
  observed: ObservedPod,
  container: V1Container,
  now: Instant,
): Waiting | undefined {
  const { pod, memory, runtime } = observed;
  if (memory.termination) return undefined;
  const current = newest(runtime, container.name);
  if (current && current.state === "exited" && !mustRestart(observed, container, current))
    return undefined;
  const image = memory.images.get(container.name);
  if (image?.kind === "failed") return imageWaiting(container, image, now);
  const failure = memory.starts.get(container.name);
  if (current?.state === "exited") {
    const record = memory.crashes.get(container.name);
    // Restarted for this very end: it is being started now, and shows how it ended until it runs.
    const isStarting = record !== undefined && record.updatedAt >= current.finishedAt && !failure;
    const until = retryAt(record, current.finishedAt);
    if (!isStarting && now < until) return crashWaiting(pod, container, until - current.finishedAt);
  }
  if (failure) return { reason: failure.reason, message: failure.message };
  return current && memory.restarting.has(current.id) ? { reason: "ContainerCreating" } : undefined;
}

function imageWaiting(
  container: V1Container,
  failure: { readonly reason: string; readonly message: string; readonly at: Instant },
  now: Instant,
): Waiting {
  const { reason, message, at } = failure;
  if (reason !== "ErrImagePull" || now < at + PULL_ERROR_SHOWN_MS) return { reason, message };
  const text = `Back-off pulling image ${JSON.stringify(container.image)}: ErrImagePull: ${message}`;
  return { reason: "ImagePullBackOff", message: text };
}

function crashWaiting(pod: V1Pod, container: V1Container, delayMs: number): Waiting {
  return { reason: "CrashLoopBackOff", message: crashMessage(pod, container.name, delayMs) };
}

/** @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff */
function crashMessage(pod: V1Pod, name: string, delayMs: number): string {
  const { metadata } = pod;
  const podName = `${metadata?.name}_${metadata?.namespace}(${metadata?.uid})`;
  return `back-off ${formatDelay(delayMs)} restarting failed container=${name} pod=${podName}`;
}

/** Whether a running container has passed its startup: the postStart hook ended, the startup probe succeeded. */
export function hasStarted(
  { memory }: ObservedPod,
  container: V1Container,
  current: ContainerState,
): boolean {
  if (memory.starting.has(current.id)) return false;
  return !container.startupProbe || memory.probes.get(current.id)?.startup === true;
}

function isReady(
  { pod, memory }: ObservedPod,
  container: V1Container,
  current: ContainerState | undefined,
  state: V1ContainerState,
  isStarted: boolean,
): boolean {
  if (initContainers(pod).includes(container) && !isSidecar(container))
    return state.terminated?.exitCode === 0;
  if (!current || !state.running || !isStarted) return false;
  return !container.readinessProbe || memory.probes.get(current.id)?.readiness === true;
}

/** Of a running container what it has, of another what it would get. @spec convertContainerStatusResources */
function resourcesOf(
  observed: ObservedPod,
  container: V1Container,
  current: ContainerState | undefined,
): Pick<V1ContainerStatus, "resources" | "allocatedResources"> {
  if (!current) return {};
  const { requests: allocated } = container.resources ?? {};
  const isRunning = current.state === "running";
  const has = isRunning ? actualResources(observed, container, current) : container.resources;
  const { requests, limits } = has ?? {};
  return {
    ...(allocated ? { allocatedResources: allocated } : {}),
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
  };
}

function volumeMountsOf({ volumeMounts }: V1Container): Pick<V1ContainerStatus, "volumeMounts"> {
  if (!volumeMounts?.length) return {};
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: "Disabled" } : {}),
    })),
  };
}
