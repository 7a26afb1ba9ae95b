import { family } from "./resource-metrics.ts";
import type {
  CgroupUse,
  ContainerReading,
  InterfaceUse,
  PodReading,
  StatsReading,
} from "./stats-reading.ts";

type Metric = readonly [name: string, type: "counter" | "gauge", value: (use: CgroupUse) => number];

/** Of what has a limit of CPU alone: the kernel counts no periods without a quota. */
const LIMITED = "container_cpu_cfs_";

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

type Counted = readonly [name: string, value: (use: InterfaceUse) => number];

const NETWORK: readonly Counted[] = [
  ["container_network_receive_bytes_total", (use) => use.rxBytes],
  ["container_network_receive_errors_total", (use) => use.rxErrors],
  ["container_network_receive_packets_dropped_total", (use) => use.rxDropped],
  ["container_network_receive_packets_total", (use) => use.rxPackets],
  ["container_network_transmit_bytes_total", (use) => use.txBytes],
  ["container_network_transmit_errors_total", (use) => use.txErrors],
  ["container_network_transmit_packets_dropped_total", (use) => use.txDropped],
  ["container_network_transmit_packets_total", (use) => use.txPackets],
];

/** Usage of Pods and containers under cAdvisor's names. @spec cAdvisor docs/storage/prometheus.md */
export function cadvisorMetrics({ pods }: StatsReading, machine: MachineSize): string {
  const measured = pods.flatMap((pod) =>
    [pod, ...pod.containers].flatMap((one) => {
      const labels = labelsOf(pod, one === pod ? undefined : (one as ContainerReading));
      return one.use ? [[labels, one.use] as const] : [];
    }),
  );
  const carried = pods.flatMap((pod) =>
    pod.interfaces.map((one) => [labelsOf(pod, undefined, one.name), one] as const),
  );
  const started = pods.flatMap((pod) =>
    pod.containers.map((one) => [labelsOf(pod, one), one.startedAt / 1000] as const),
  );
  return [
    ...METRICS.map(([name, type, value]) =>
      family(
        name,
        type,
        measured
          .filter(([, use]) => use.periods > 0 || !name.startsWith(LIMITED))
          .map(([labels, use]) => [labels, value(use)]),
      ),
    ),
    family("container_start_time_seconds", "gauge", started),
    ...NETWORK.map(([name, value]) =>
      family(
        name,
        "counter",
        carried.map(([labels, use]) => [labels, value(use)]),
      ),
    ),
    family("machine_cpu_cores", "gauge", [["", machine.cpus]]),
    family("machine_memory_bytes", "gauge", [["", machine.memoryBytes]]),
  ].join("");
}

/** Of a container, or of the Pod as a whole. */
function labelsOf(pod: PodReading, one?: ContainerReading, interfaceName?: string): string {
  const labels = {
    container: one?.name ?? "",
    id: one ? `${pod.cgroup}/${one.id}` : pod.cgroup,
    image: one?.image ?? "",
    ...(interfaceName === undefined ? {} : { interface: interfaceName }),
    name: one?.id ?? "",
    namespace: pod.namespace,
    pod: pod.name,
  };
  const texts = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `{${texts.join(",")}}`;
}
