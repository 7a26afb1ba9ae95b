import type { V1ContainerStatus, V1Pod } from "../../gen/types.ts";
import { appContainers, initContainers, isSidecar } from "../runtime/pod-spec.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

interface Tally {
  pending: number;
  failed: number;
}

/**
 * The phase that the containers' statuses amount to. `isEnding`: none of them will be started again.
 *
 * @spec k8s@1.36 pkg/kubelet/kubelet_pods.go getPhase
 */
export function phaseOf(
  pod: V1Pod,
  inits: readonly V1ContainerStatus[],
  containers: readonly V1ContainerStatus[],
  isEnding: boolean,
): PodPhase {
  const init = tallyInit(pod, inits);
  if (init.failed > 0 && pod.spec?.restartPolicy === "Never") return "Failed";
  const counts = tallyApp(pod, containers);
  const isAppMissing = counts.stopped + counts.running === 0;
  if (init.pending > 0 && isAppMissing) return isEnding ? "Failed" : "Pending";
  if (counts.waiting > 0) return isEnding && counts.running === 0 ? "Failed" : "Pending";
  if (counts.running > 0) return "Running";
  if (counts.stopped === 0) return "Pending";
  const isSuccess = counts.stopped === counts.succeeded;
  if (isEnding) return isSuccess ? "Succeeded" : "Failed";
  if (restarts(pod)) return "Running";
  if (isSuccess) return "Succeeded";
  return pod.spec?.restartPolicy === "Never" ? "Failed" : "Running";
}

function restarts(pod: V1Pod): boolean {
  return (pod.spec?.restartPolicy ?? "Always") === "Always";
}

function tallyInit(pod: V1Pod, statuses: readonly V1ContainerStatus[]): Tally {
  const tally: Tally = { pending: 0, failed: 0 };
  for (const container of initContainers(pod)) {
    const status = statuses.find(({ name }) => name === container.name);
    if (isSidecar(container)) {
      if (!status?.started && !status?.state?.terminated) tally.pending++;
      continue;
    }
    const terminated = status?.state?.terminated ?? status?.lastState?.terminated;
    if (!status || status.state?.running || !terminated) tally.pending++;
    else if (terminated.exitCode !== 0) {
      tally.failed++;
      tally.pending++;
    } else if (!status.state?.terminated) tally.pending++;
  }
  return tally;
}

function tallyApp(
  pod: V1Pod,
  statuses: readonly V1ContainerStatus[],
): Record<"running" | "waiting" | "stopped" | "succeeded", number> {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0 };
  for (const { name } of appContainers(pod)) {
    const status = statuses.find((candidate) => candidate.name === name);
    const ended = status?.state?.terminated;
    if (status?.state?.running) counts.running++;
    else if (ended) {
      counts.stopped++;
      if (ended.exitCode === 0) counts.succeeded++;
    } else if (status?.lastState?.terminated) counts.stopped++;
    else counts.waiting++;
  }
  return counts;
}
