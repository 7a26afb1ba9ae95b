import { formatTime } from "../../base/clock.ts";
import type { ContainerStats } from "../../wire/cri/cri-client.ts";
import {
  LABEL_CONTAINER_NAME,
  LABEL_POD_NAME,
  LABEL_POD_NAMESPACE,
  LABEL_POD_UID,
} from "../runtime/labels.ts";
import type { NodeUsage } from "./resource-metrics.ts";

/** The body of /stats/summary. @spec k8s@1.36 kubelet/pkg/apis/stats/v1alpha1/types.go */
export function statsSummary(
  nodeName: string,
  stats: readonly ContainerStats[],
  node: NodeUsage,
  now: number,
): object {
  const byPod = new Map<string, ContainerStats[]>();
  for (const one of stats) {
    const uid = one.attributes.labels[LABEL_POD_UID] ?? "";
    byPod.set(uid, [...(byPod.get(uid) ?? []), one]);
  }
  const time = formatTime(now);
  return {
    node: {
      nodeName,
      cpu: { time, usageCoreNanoSeconds: Math.round(node.cpuSeconds * 1e9) },
      memory: { time, workingSetBytes: node.memoryBytes },
    },
    pods: [...byPod.values()].map((containers) => podStats(containers)),
  };
}

function podStats(containers: readonly ContainerStats[]): object {
  const labels = containers[0]?.attributes.labels ?? {};
  return {
    podRef: {
      name: labels[LABEL_POD_NAME],
      namespace: labels[LABEL_POD_NAMESPACE],
      uid: labels[LABEL_POD_UID],
    },
    containers: containers.map(({ attributes, cpu, memory, writableLayer }) => ({
      name: attributes.labels[LABEL_CONTAINER_NAME],
      cpu: {
        time: formatTime((cpu?.timestamp ?? 0) / 1e6),
        usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
      },
      memory: {
        time: formatTime((memory?.timestamp ?? 0) / 1e6),
        workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      },
      rootfs: { usedBytes: writableLayer?.usedBytes?.value ?? 0 },
    })),
  };
}
