import type { V1Container, V1Pod, V1ResourceRequirements } from "../../gen/types.ts";
import { milliOf, wholeOf } from "../runtime/amount.ts";
import type { PodRuntime } from "../runtime/pod-runtime.ts";
import { appContainers, initContainers, isSidecar } from "../runtime/pod-spec.ts";

/** What the node has granted to the containers of a Pod, by name; those that cannot be resized are missing. */
export type Allocation = ReadonlyMap<string, V1ResourceRequirements>;

/** What of a container's resources can change while it runs. 0: none. */
export interface Size {
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
}

/** Below these amounts the kernel makes no difference. @spec k8s@1.36 pkg/kubelet/cm MinShares, MinMilliCPULimit */
const CPU_REQUEST_MILLIS_MIN = 2;
const CPU_LIMIT_MILLIS_MIN = 10;

/** The size that resources amount to. */
export function sizeOf(resources: V1ResourceRequirements | undefined): Size {
  const { requests, limits } = resources ?? {};
  return {
    cpuRequestMillis: milliOf(requests?.["cpu"]),
    cpuLimitMillis: milliOf(limits?.["cpu"]),
    memoryRequestBytes: wholeOf(requests?.["memory"]),
    memoryLimitBytes: wholeOf(limits?.["memory"]),
  };
}

/** True when both need the same of the kernel: amounts too small for it to tell apart are equal. */
export function isSameSize(a: Size, b: Size): boolean {
  const isSame = (x: number, y: number, least: number): boolean =>
    x === y || (x <= least && y <= least);
  return (
    isSame(a.cpuRequestMillis, b.cpuRequestMillis, CPU_REQUEST_MILLIS_MIN) &&
    isSame(a.cpuLimitMillis, b.cpuLimitMillis, CPU_LIMIT_MILLIS_MIN) &&
    a.memoryRequestBytes === b.memoryRequestBytes &&
    a.memoryLimitBytes === b.memoryLimitBytes
  );
}

/** The containers whose resources can change while they run. @spec k8s@1.36 pkg/kubelet/allocation IsResizableContainer */
export function resizableContainers(pod: V1Pod): readonly V1Container[] {
  return [...initContainers(pod).filter(isSidecar), ...appContainers(pod)];
}

/** What the Pod's specification asks for. */
export function allocationOf(pod: V1Pod): Allocation {
  return new Map(resizableContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));
}

/** What the containers were made with; the specification's where the runtime does not know. */
export function allocationIn(runtime: PodRuntime, pod: V1Pod): Allocation {
  const allocation = new Map(allocationOf(pod));
  for (const { name, resources } of [...runtime.containers].reverse())
    if (resources && allocation.has(name)) allocation.set(name, resources);
  return allocation;
}

/** The Pod with what the node has granted instead of what it asks for; itself when that is the same. */
export function withAllocation(pod: V1Pod, allocation: Allocation): V1Pod {
  const isGranted = ({ name, resources }: V1Container): boolean => {
    const granted = allocation.get(name);
    return granted === undefined || isSameExactly(sizeOf(granted), sizeOf(resources));
  };
  if (resizableContainers(pod).every(isGranted)) return pod;
  const granted = (container: V1Container): V1Container =>
    isGranted(container)
      ? container
      : { ...container, resources: allocation.get(container.name) ?? {} };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: appContainers(pod).map(granted),
      ...(pod.spec?.initContainers
        ? {
            initContainers: initContainers(pod).map((one) => (isSidecar(one) ? granted(one) : one)),
          }
        : {}),
    },
  };
}

/** True when both grant the same to the same containers. */
export function isSameAllocation(a: Allocation, b: Allocation): boolean {
  return (
    a.size === b.size &&
    [...a].every(([name, resources]) => isSameExactly(sizeOf(resources), sizeOf(b.get(name))))
  );
}

function isSameExactly(a: Size, b: Size): boolean {
  return (Object.keys(a) as (keyof Size)[]).every((key) => a[key] === b[key]);
}
