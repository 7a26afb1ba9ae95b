import type { V1Pod, V1PodStatus } from "../../gen/types.ts";

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
