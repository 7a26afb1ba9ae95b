import type { PodReading, StatsReading } from "./stats-reading.ts";

/**
 * Usage in Prometheus' text form, as metrics-server reads it: each sample with the time when it was taken.
 *
 * @spec k8s@1.36 pkg/kubelet/metrics/collectors/resource_metrics.go
 */
export function resourceMetrics({ now, node, pods }: StatsReading): string {
  const each = pods.flatMap((pod) =>
    pod.containers.map(({ name, startedAt, use }) => ({
      labels: labelsOf(pod, name),
      startedAt,
      use,
    })),
  );
  const whole = pods.map((pod) => ({ labels: labelsOf(pod), use: pod.use }));
  type Used = { readonly labels: string; readonly use: PodReading["use"] };
  const used = (
    all: readonly Used[],
    pick: (use: NonNullable<PodReading["use"]>) => number | undefined,
  ): readonly Sample[] =>
    all.flatMap(({ labels, use }) => {
      const value = use && pick(use);
      return value === undefined ? [] : [[labels, value] as const];
    });
  const swapped = node.swapTotalBytes - node.swapFreeBytes;
  return [
    family("node_cpu_usage_seconds_total", "counter", [["", node.cpuSeconds]], now),
    family(
      "node_memory_working_set_bytes",
      "gauge",
      [["", node.memoryTotalBytes - node.memoryAvailableBytes]],
      now,
    ),
    family("node_swap_usage_bytes", "gauge", [["", swapped]], now),
    family(
      "container_start_time_seconds",
      "gauge",
      each.map(({ labels, startedAt }) => [labels, startedAt / 1000]),
    ),
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      used(each, (u) => u.cpuSeconds),
      now,
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      used(each, (u) => u.workingSetBytes),
      now,
    ),
    family(
      "container_swap_usage_bytes",
      "gauge",
      used(each, (u) => u.swapBytes),
      now,
    ),
    family(
      "pod_cpu_usage_seconds_total",
      "counter",
      used(whole, (u) => u.cpuSeconds),
      now,
    ),
    family(
      "pod_memory_working_set_bytes",
      "gauge",
      used(whole, (u) => u.workingSetBytes),
      now,
    ),
    family(
      "pod_swap_usage_bytes",
      "gauge",
      used(whole, (u) => u.swapBytes),
      now,
    ),
    family("scrape_error", "gauge", [["", 0]]),
    family("resource_scrape_error", "gauge", [["", 0]]),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

function labelsOf({ namespace, name }: PodReading, container?: string): string {
  const own = container === undefined ? "" : `container=${JSON.stringify(container)},`;
  return `{${own}namespace=${JSON.stringify(namespace)},pod=${JSON.stringify(name)}}`;
}

/** One metric with all its samples; labels as `{a="b"}` or "". `at`: when they were taken, in ms. */
export function family(
  name: string,
  type: "counter" | "gauge",
  samples: readonly Sample[],
  at?: number,
): string {
  const time = at === undefined ? "" : ` ${at}`;
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}${time}\n`);
  return `# TYPE ${name} ${type}\n${lines.join("")}`;
}
