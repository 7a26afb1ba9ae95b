import type { V1Container, V1ResourceRequirements } from "../../gen/types.ts";
import { newest, readySandbox, type ContainerState } from "../runtime/pod-runtime.ts";
import { isSameSize, resizableContainers, sizeOf, type Size } from "./allocation.ts";
import type { ObservedPod } from "./observed.ts";
import type { ResourceUpdate, Step } from "./step.ts";

/** A container that runs with other resources than it was granted. */
interface Misfit {
  readonly container: V1Container;
  readonly current: ContainerState;
  readonly has: Size;
  readonly granted: Size;
}

/** What the runtime gives a container: what it was told last, or what it was made with. */
export function actualResources(
  { memory }: Pick<ObservedPod, "memory">,
  container: V1Container,
  current: ContainerState,
): V1ResourceRequirements {
  return memory.actuated.get(current.id) ?? current.resources ?? container.resources ?? {};
}

function misfits(observed: ObservedPod): readonly Misfit[] {
  return resizableContainers(observed.pod).flatMap((container) => {
    const current = newest(observed.runtime, container.name);
    if (current?.state !== "running") return [];
    const has = sizeOf(actualResources(observed, container, current));
    const granted = sizeOf(container.resources);
    return isSameSize(has, granted) ? [] : [{ container, current, has, granted }];
  });
}

/** A granted change has not reached all containers and the Pod's cgroup yet. */
export function isResizeInProgress(observed: ObservedPod): boolean {
  return observed.memory.resize?.granted !== undefined || misfits(observed).length > 0;
}

/** Ids of the containers that must be started anew to get what was granted. */
export function restartsForResize(observed: ObservedPod): ReadonlySet<string> {
  return new Set(
    misfits(observed)
      .filter(needsRestart)
      .map(({ current }) => current.id),
  );
}

/** @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodResizeAction */
function needsRestart({ container, has, granted }: Misfit): boolean {
  const changed = {
    cpu:
      has.cpuRequestMillis !== granted.cpuRequestMillis ||
      has.cpuLimitMillis !== granted.cpuLimitMillis,
    memory:
      has.memoryRequestBytes !== granted.memoryRequestBytes ||
      has.memoryLimitBytes !== granted.memoryLimitBytes,
  };
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === "RestartContainer" && changed[resourceName as keyof typeof changed],
  );
}

/**
 * The step that gives running containers, and the Pod as a whole, what was granted. `undefined`: nothing to do, or
 * containers that must restart have not ended yet.
 *
 * Memory first, then cpu, and of each what becomes less before what becomes more, so that their sum stays within the Pod's.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go doPodResizeAction, updatePodContainerResources
 */
export function planResize(observed: ObservedPod): Step | undefined {
  if (!isResizeInProgress(observed) || !readySandbox(observed.runtime)) return undefined;
  const all = misfits(observed);
  if (all.some(needsRestart)) return undefined;
  const memory = sorted(all, "memoryLimitBytes", "memoryRequestBytes").map(
    ({ container, current }): ResourceUpdate => {
      const has = actualResources(observed, container, current);
      return update(container, current, mixed(has, container.resources, "memory"));
    },
  );
  const cpu = sorted(all, "cpuLimitMillis", "cpuRequestMillis").map(({ container, current }) =>
    update(container, current, container.resources ?? {}),
  );
  const generation = observed.memory.resize?.granted;
  return { kind: "resize", memory, cpu, ...(generation === undefined ? {} : { generation }) };
}

/** Those whose amounts change, the largest decrease first. */
function sorted(all: readonly Misfit[], limit: keyof Size, request: keyof Size): readonly Misfit[] {
  const growth = ({ has, granted }: Misfit): number =>
    granted[limit] - has[limit] || granted[request] - has[request];
  return all
    .filter(
      ({ has, granted }) => has[limit] !== granted[limit] || has[request] !== granted[request],
    )
    .sort((a, b) => growth(a) - growth(b));
}

function update(
  { name }: V1Container,
  { id }: ContainerState,
  resources: V1ResourceRequirements,
): ResourceUpdate {
  return { container: name, id, resources };
}

/** Resources with one amount as it shall be, and all else as it is. */
function mixed(
  has: V1ResourceRequirements,
  wanted: V1ResourceRequirements | undefined,
  name: string,
): V1ResourceRequirements {
  const list = (kind: "requests" | "limits"): Readonly<Record<string, string>> => {
    const { [name]: _, ...rest } = has[kind] ?? {};
    const amount = wanted?.[kind]?.[name];
    return amount === undefined ? rest : { ...rest, [name]: amount };
  };
  return { requests: list("requests"), limits: list("limits") };
}
