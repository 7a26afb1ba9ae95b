import type { CgroupUse, PodReading, StatsReading } from "./stats-reading.ts";

/**
 * Usage in Prometheus' text form, as metrics-server reads it: each sample with the time when it was taken.
 *
 * @spec k8s@1.36 pkg/kubelet/metrics/collectors/resource_metrics.go
 */
export function resourceMetrics({ now, node, pods }: StatsReading): string {
  const each = pods.flatMap((pod) =>
    pod.containers.map(({ name, use }) => ({ labels: labelsOf(pod, name), use })),
  );
  const whole = pods.map((pod) => ({ labels: labelsOf(pod), use: pod.use }));
  const started = pods.flatMap((pod) =>
    pod.containers.map(({ name, startedAt }): Sample => [labelsOf(pod, name), startedAt / 1000]),
  );
  const counter = (name: string, samples: readonly Sample[]): string =>
    family(name, "counter", samples, now);
  const gauge = (name: string, samples: readonly Sample[]): string =>
    family(name, "gauge", samples, now);
  const workingSet = node.memoryTotalBytes - node.memoryAvailableBytes;
  return [
    counter("node_cpu_usage_seconds_total", [["", node.cpuSeconds]]),
    gauge("node_memory_working_set_bytes", [["", workingSet]]),
    gauge("node_swap_usage_bytes", [["", node.swapTotalBytes - node.swapFreeBytes]]),
    family("container_start_time_seconds", "gauge", started),
    counter(
      "container_cpu_usage_seconds_total",
      samplesOf(each, (use) => use.cpuSeconds),
    ),
    gauge(
      "container_memory_working_set_bytes",
      samplesOf(each, (use) => use.workingSetBytes),
    ),
    gauge(
      "container_swap_usage_bytes",
      samplesOf(each, (use) => use.swapBytes),
    ),
    counter(
      "pod_cpu_usage_seconds_total",
      samplesOf(whole, (use) => use.cpuSeconds),
    ),
    gauge(
      "pod_memory_working_set_bytes",
      samplesOf(whole, (use) => use.workingSetBytes),
    ),
    gauge(
      "pod_swap_usage_bytes",
      samplesOf(whole, (use) => use.swapBytes),
    ),
    family("scrape_error", "gauge", [["", 0]]),
    family("resource_scrape_error", "gauge", [["", 0]]),
  ].join("");
}

interface Used {
  readonly labels: string;
  readonly use: CgroupUse | undefined;
}

function samplesOf(
  all: readonly Used[],
  pick: (use: CgroupUse) => number | undefined,
): readonly Sample[] {
  return all.flatMap(({ labels, use }) => {
    const value = use && pick(use);
    return value === undefined ? [] : [[labels, value] as const];
  });
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
