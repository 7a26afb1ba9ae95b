import type { V1Container, V1Pod, V1PodCondition, V1PodStatus } from "../../gen/types.ts";

/** An event that follows from how a status differs from the one before it. */
export interface TransitionEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly container?: string;
}

/**
 * Back-offs and deadlines are states, not steps: their events are told when the status first shows them.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff; images/image_manager.go; active_deadline.go
 */
export function transitionEvents(pod: V1Pod, next: V1PodStatus): readonly TransitionEvent[] {
  const before = statusesOf(pod.status ?? {});
  const events = statusesOf(next).flatMap(({ name, image, state, restartCount }) => {
    const old = before.find((status) => status.name === name);
    const { reason } = state?.waiting ?? {};
    const isSame = old?.state?.waiting?.reason === reason && old?.restartCount === restartCount;
    return reason === undefined || isSame
      ? []
      : eventsOf(pod, name, imageName(pod, name, image), reason);
  });
  events.push(...resizeEvents(pod, next));
  if (next.reason === "DeadlineExceeded" && pod.status?.reason !== "DeadlineExceeded")
    events.push({ type: "Normal", reason: "DeadlineExceeded", message: next.message ?? "" });
  return events;
}

function statusesOf(status: V1PodStatus): NonNullable<V1PodStatus["containerStatuses"]> {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

function imageName(pod: V1Pod, name: string, fallback: string): string {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.find((container) => container.name === name)?.image ?? fallback;
}

function eventsOf(pod: V1Pod, container: string, image: string, reason: string): TransitionEvent[] {
  const { name, namespace, uid } = pod.metadata ?? {};
  if (reason === "CrashLoopBackOff") {
    const message = `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`;
    return [{ type: "Warning", reason: "BackOff", message, container }];
  }
  if (reason !== "ImagePullBackOff") return [];
  const quoted = JSON.stringify(image);
  return [
    { type: "Normal", reason: "BackOff", message: `Back-off pulling image ${quoted}`, container },
    { type: "Warning", reason: "Failed", message: "Error: ImagePullBackOff", container },
  ];
}

/** Told once: when granted resources cannot be given, and when they are. @spec k8s@1.36 pkg/kubelet/events/pod_resize.go */
function resizeEvents(pod: V1Pod, next: V1PodStatus): readonly TransitionEvent[] {
  const named = (status: V1PodStatus | undefined, type: string): V1PodCondition | undefined =>
    status?.conditions?.find((condition) => condition.type === type);
  const [before, after] = [pod.status, next].map((status) => named(status, "PodResizeInProgress"));
  if (after?.reason !== undefined && after.message !== before?.message) {
    const message = resizeMessage(pod, after.observedGeneration, "Pod resize error", after.message);
    return [{ type: "Warning", reason: "ResizeError", message }];
  }
  const isOver = next.phase === "Succeeded" || next.phase === "Failed";
  if (!before || after || isOver) return [];
  const message = resizeMessage(pod, before.observedGeneration, "Pod resize completed");
  return [{ type: "Normal", reason: "ResizeCompleted", message }];
}

/** What an event says of a change of resources: what the Pod was granted, or asks for. */
export function resizeMessage(
  { spec }: V1Pod,
  generation: number | undefined,
  prefix: string,
  error?: string,
): string {
  const list = (containers: readonly V1Container[] | undefined): object[] | undefined =>
    containers?.length
      ? containers.map(({ name, resources }) => ({ name, resources: resources ?? {} }))
      : undefined;
  const summary = {
    initContainers: list(spec?.initContainers),
    containers: list(spec?.containers),
    generation: generation ?? 0,
    error,
  };
  return `${prefix}: ${JSON.stringify(summary)}`;
}
