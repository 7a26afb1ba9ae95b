import type { ContainerStats } from "../../wire/cri/cri-client.ts";
import { LABEL_CONTAINER_NAME, LABEL_POD_NAME, LABEL_POD_NAMESPACE } from "../runtime/labels.ts";

/** Usage of the node as a whole. */
export interface NodeUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

interface Usage {
  readonly pod: string;
  readonly container: string;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/**
 * Usage in Prometheus' text form, as metrics-server reads it.
 *
 * @spec k8s@1.36 pkg/kubelet/metrics/collectors/resource_metrics.go
 */
export function resourceMetrics(stats: readonly ContainerStats[], node: NodeUsage): string {
  const usages = stats.map(usageOf);
  const pods = [...new Set(usages.map(({ pod }) => pod))].map((pod) => {
    const own = usages.filter((usage) => usage.pod === pod);
    const sum = (pick: (usage: Usage) => number): number => own.reduce((a, u) => a + pick(u), 0);
    return { pod, cpu: sum((u) => u.cpuSeconds), memory: sum((u) => u.memoryBytes) };
  });
  return [
    family("node_cpu_usage_seconds_total", "counter", [["", node.cpuSeconds]]),
    family("node_memory_working_set_bytes", "gauge", [["", node.memoryBytes]]),
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      usages.map((usage) => [`{${usage.container}}`, usage.cpuSeconds]),
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      usages.map((usage) => [`{${usage.container}}`, usage.memoryBytes]),
    ),
    family(
      "pod_cpu_usage_seconds_total",
      "counter",
      pods.map(({ pod, cpu }) => [`{${pod}}`, cpu]),
    ),
    family(
      "pod_memory_working_set_bytes",
      "gauge",
      pods.map(({ pod, memory }) => [`{${pod}}`, memory]),
    ),
    family("scrape_error", "gauge", [["", 0]]),
  ].join("");
}

function usageOf({ attributes, cpu, memory }: ContainerStats): Usage {
  const label = (name: string): string => JSON.stringify(attributes.labels[name] ?? "");
  const pod = `namespace=${label(LABEL_POD_NAMESPACE)},pod=${label(LABEL_POD_NAME)}`;
  return {
    pod,
    container: `container=${label(LABEL_CONTAINER_NAME)},${pod}`,
    cpuSeconds: (cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9,
    memoryBytes: memory?.workingSetBytes?.value ?? 0,
  };
}

/** One metric with all its samples; labels as `{a="b"}` or "". */
export function family(
  name: string,
  type: "counter" | "gauge",
  samples: readonly (readonly [string, number])[],
): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# TYPE ${name} ${type}\n${lines.join("")}`;
}
