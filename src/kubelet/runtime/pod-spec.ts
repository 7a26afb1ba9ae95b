import type { V1Container, V1ContainerStatus, V1Pod } from "../../gen/types.ts";
import type { ContainerState } from "./pod-runtime.ts";

/** Grace of a Pod that names none. @spec k8s@1.36 core/v1 DefaultTerminationGracePeriodSeconds */
const GRACE_SECONDS_DEFAULT = 30;

/** An init container that keeps running beside the others. @spec KEP-753 */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === "Always";
}

/** Init containers, sidecars among them, in order. */
export function initContainers(pod: V1Pod): readonly V1Container[] {
  return pod.spec?.initContainers ?? [];
}

/** The containers that are the Pod's purpose. */
export function appContainers(pod: V1Pod): readonly V1Container[] {
  return pod.spec?.containers ?? [];
}

/** Every container of the specification: init containers first, ephemeral ones last. */
export function allContainers(pod: V1Pod): readonly V1Container[] {
  return [...initContainers(pod), ...appContainers(pod), ...ephemeralContainers(pod)];
}

/** Containers that were added for debugging; the API gives them no resources and no probes. */
export function ephemeralContainers(pod: V1Pod): readonly V1Container[] {
  return pod.spec?.ephemeralContainers ?? [];
}

/** The container of that name. */
export function containerNamed(pod: V1Pod, name: string): V1Container | undefined {
  return allContainers(pod).find((container) => container.name === name);
}

/** `spec.containers{app}`: how an event names a container. @spec pkg/kubelet/container/ref.go */
export function fieldPathOf(pod: V1Pod, name: string): string {
  if (initContainers(pod).some((container) => container.name === name))
    return `spec.initContainers{${name}}`;
  if (ephemeralContainers(pod).some((container) => container.name === name))
    return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}

/** What the API's status says of a container. */
export function statusNamed(pod: V1Pod, name: string): V1ContainerStatus | undefined {
  const { status } = pod;
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((container) => container.name === name);
}

/** Whether a container that ended like this is started again. @spec pkg/kubelet/container/helpers.go ShouldContainerBeRestarted */
export function shouldRestart(pod: V1Pod, container: V1Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false;
    if (exitCodes && isListed === (exitCodes.operator === "In")) return action === "Restart";
  }
  const isInit = initContainers(pod).includes(container);
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  if (policy === "Never") return false;
  if (policy === "OnFailure" || (isInit && !isSidecar(container))) return exitCode !== 0;
  return true;
}

/** Seconds a container of the Pod has to end by itself. */
export function graceSecondsOf(pod: V1Pod): number {
  return pod.spec?.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT;
}

/** Changes when a running container must be replaced. @spec pkg/kubelet/container/helpers.go HashContainer */
export function containerHash({ name, image }: V1Container): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${name}\0${image ?? ""}`))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** True for a container of another definition than the Pod has now. */
export function isOutdated(container: V1Container, state: ContainerState): boolean {
  return state.hash !== "" && state.hash !== containerHash(container);
}
