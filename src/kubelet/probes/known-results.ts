import type { V1Container, V1Pod } from "../../gen/types.ts";
import type { ProbeResults } from "../plan/observed.ts";
import { newest, type PodRuntime } from "../runtime/pod-runtime.ts";
import { allContainers, statusNamed } from "../runtime/pod-spec.ts";

/**
 * What probes had found of the containers that run, by their IDs, before this kubelet began: so the Pod's status has it.
 *
 * Why: a container that was ready stays so until a probe says otherwise. A kubelet that comes back would else take its Pods out of
 * their Services, and ask a program's startup probe again that is only meant for its start.
 * @spec KEP-4781; k8s@1.36 pkg/kubelet/prober/prober_manager.go isContainerStarted, setReadyStateOnKubeletRestart
 */
export function knownResults(pod: V1Pod, runtime: PodRuntime): ReadonlyMap<string, ProbeResults> {
  return new Map(
    allContainers(pod).flatMap((container) => {
      const current = newest(runtime, container.name);
      const known = statusNamed(pod, container.name);
      if (current?.state !== "running" || !known?.containerID?.endsWith(`//${current.id}`))
        return [];
      return [[current.id, resultsOf(container, known)] as const];
    }),
  );
}

function resultsOf(
  { startupProbe, readinessProbe }: V1Container,
  { started, ready }: { readonly started?: boolean; readonly ready: boolean },
): ProbeResults {
  return {
    ...(startupProbe && started ? { startup: true } : {}),
    ...(readinessProbe && ready ? { readiness: true } : {}),
  };
}
