import { family } from "./resource-metrics.ts";

/** What the kernel counts for one cgroup and those below it. */
export interface CgroupUse {
  readonly cpuSeconds: number;
  /** Periods in which a CPU limit held, those in which it stopped somebody, and for how long. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly cacheBytes: number;
  /** 0: none. */
  readonly limitBytes: number;
  readonly processes: number;
}

/** One container, or a whole Pod (`container` is ""). */
export interface Metered {
  readonly container: string;
  readonly pod: string;
  readonly namespace: string;
  readonly image: string;
  /** The container's id; "" for a Pod. */
  readonly name: string;
  /** The cgroup's path. */
  readonly id: string;
  readonly use: CgroupUse;
}

type Metric = readonly [name: string, type: "counter" | "gauge", value: (use: CgroupUse) => number];

const METRICS: readonly Metric[] = [
  ["container_cpu_usage_seconds_total", "counter", (use) => use.cpuSeconds],
  ["container_cpu_cfs_periods_total", "counter", (use) => use.periods],
  ["container_cpu_cfs_throttled_periods_total", "counter", (use) => use.throttledPeriods],
  ["container_cpu_cfs_throttled_seconds_total", "counter", (use) => use.throttledSeconds],
  ["container_memory_usage_bytes", "gauge", (use) => use.usageBytes],
  ["container_memory_working_set_bytes", "gauge", (use) => use.workingSetBytes],
  ["container_memory_rss", "gauge", (use) => use.rssBytes],
  ["container_memory_cache", "gauge", (use) => use.cacheBytes],
  ["container_spec_memory_limit_bytes", "gauge", (use) => use.limitBytes],
  ["container_processes", "gauge", (use) => use.processes],
];

/** What the machine has. */
export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Usage of Pods and containers under cAdvisor's names. @spec cAdvisor docs/storage/prometheus.md */
export function cadvisorMetrics(metered: readonly Metered[], machine: MachineSize): string {
  const labelled = metered.map((one) => [labelsOf(one), one.use] as const);
  return [
    ...METRICS.map(([name, type, value]) =>
      family(
        name,
        type,
        labelled.map(([labels, use]) => [labels, value(use)]),
      ),
    ),
    family("machine_cpu_cores", "gauge", [["", machine.cpus]]),
    family("machine_memory_bytes", "gauge", [["", machine.memoryBytes]]),
  ].join("");
}

function labelsOf({ container, id, image, name, namespace, pod }: Metered): string {
  const labels = Object.entries({ container, id, image, name, namespace, pod });
  return `{${labels.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}}`;
}
