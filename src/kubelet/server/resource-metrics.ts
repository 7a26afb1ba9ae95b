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
  const swapped = node.swapTotalBytes - node.swapFreeBytes;
  const resident = node.memoryTotalBytes - node.memoryAvailableBytes;
  return [
    family("node_cpu_usage_seconds_total", "counter", [["", node.cpuSeconds]], now),
    family("node_memory_working_set_bytes", "gauge", [["", resident]], now),
    family("node_swap_usage_bytes", "gauge", [["", swapped]], now),
    family(
      "container_start_time_seconds",
      "gauge",
      each.map(({ labels, startedAt }) => [labels, startedAt / 1000]),
    ),
    usageFamilies("container", each, now),
    usageFamilies("pod", whole, now),
    family("scrape_error", "gauge", [["", 0]]),
    family("resource_scrape_error", "gauge", [["", 0]]),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

/** One thing that uses the node, as far as that is known. */
interface User {
  readonly labels: string;
  readonly use: PodReading["use"];
}

/** Processor, memory and swap of all containers, or of all Pods. */
function usageFamilies(what: "container" | "pod", users: readonly User[], now: number): string {
  const samples = (
    pick: (use: NonNullable<PodReading["use"]>) => number | undefined,
  ): readonly Sample[] =>
    users.flatMap(({ labels, use }) => {
      const value = use && pick(use);
      return value === undefined ? [] : [[labels, value] as const];
    });
  const cpu = samples(({ cpuSeconds }) => cpuSeconds);
  const memory = samples(({ workingSetBytes }) => workingSetBytes);
  const swap = samples(({ swapBytes }) => swapBytes);
  return [
    family(`${what}_cpu_usage_seconds_total`, "counter", cpu, now),
    family(`${what}_memory_working_set_bytes`, "gauge", memory, now),
    family(`${what}_swap_usage_bytes`, "gauge", swap, now),
  ].join("");
}

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
