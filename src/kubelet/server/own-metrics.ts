import type { PodWorker } from "../pod-worker.ts";
import { family } from "./resource-metrics.ts";

const STATES = ["created", "running", "exited", "unknown"] as const;

/** What the kubelet says of itself. @spec k8s@1.36 pkg/kubelet/metrics/metrics.go */
export function ownMetrics(nodeName: string, workers: readonly PodWorker[]): string {
  const containers = workers.flatMap(({ runtime }) => runtime.containers);
  const running = workers.filter(({ runtime }) => runtime.sandboxes.some(({ isReady }) => isReady));
  const desired = workers.filter(({ isActive }) => isActive);
  return [
    family("kubelet_node_name", "gauge", [[`{node=${JSON.stringify(nodeName)}}`, 1]]),
    family("kubelet_running_pods", "gauge", [["", running.length]]),
    family("kubelet_desired_pods", "gauge", [["", desired.length]]),
    family(
      "kubelet_running_containers",
      "gauge",
      STATES.map((state) => [
        `{container_state="${state}"}`,
        containers.filter((container) => container.state === state).length,
      ]),
    ),
  ].join("");
}
