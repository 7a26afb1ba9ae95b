import { formatTime } from "../../base/clock.ts";
import type { CpuRates } from "./cpu-rates.ts";
import type {
  CgroupUse,
  ContainerReading,
  DiskUse,
  FolderUse,
  InterfaceUse,
  NodeReading,
  PodReading,
  Pressure,
  StatsReading,
} from "./stats-reading.ts";

/** The interface that a Pod, and upstream's node, is known by. @spec k8s@1.36 pkg/kubelet/stats defaultNetworkInterfaceName */
const DEFAULT_INTERFACE = "eth0";

/**
 * The body of /stats/summary. `isBrief`: cpu and memory alone.
 *
 * @spec k8s@1.36 kubelet/pkg/apis/stats/v1alpha1/types.go; pkg/kubelet/server/stats/summary.go
 */
export function statsSummary(reading: StatsReading, rates: CpuRates, isBrief: boolean): object {
  const shape = new Shape(reading, rates, isBrief);
  return { node: shape.node(), pods: reading.pods.map((pod) => shape.pod(pod)) };
}

class Shape {
  readonly #reading: StatsReading;
  readonly #rates: CpuRates;
  readonly #isBrief: boolean;
  readonly #time: string;

  constructor(reading: StatsReading, rates: CpuRates, isBrief: boolean) {
    this.#reading = reading;
    this.#rates = rates;
    this.#isBrief = isBrief;
    this.#time = formatTime(reading.now);
  }

  node(): object {
    const { nodeName, node, storage } = this.#reading;
    const time = this.#time;
    const used = node.memoryTotalBytes - node.memoryAvailableBytes;
    const brief = {
      nodeName,
      ...(node.pods ? { systemContainers: [this.#systemContainer("pods", node.pods, node)] } : {}),
      startTime: formatTime(node.bootedAt),
      cpu: this.#cpu("node", node.cpuSeconds, node.pressures.cpu),
      memory: {
        time,
        availableBytes: node.memoryAvailableBytes,
        usageBytes: node.memoryTotalBytes - node.memoryFreeBytes,
        workingSetBytes: used,
        rssBytes: node.rssBytes,
        pageFaults: node.pageFaults,
        majorPageFaults: node.majorPageFaults,
        ...pressure(node.pressures.memory),
      },
    };
    if (this.#isBrief) return brief;
    return {
      ...brief,
      ...(node.pressures.io ? { io: { time, ...pressure(node.pressures.io) } } : {}),
      ...this.#network(node.interfaces),
      ...(storage.node
        ? {
            fs: this.#fs(storage.node, {
              bytes: usedOf(storage.node),
              inodes: usedInodes(storage.node),
            }),
          }
        : {}),
      ...(storage.images ? { runtime: this.#runtime(storage.images) } : {}),
      rlimit: { time, maxpid: node.processesMax, curproc: node.processes },
      swap: {
        time,
        swapAvailableBytes: node.swapFreeBytes,
        swapUsageBytes: node.swapTotalBytes - node.swapFreeBytes,
      },
    };
  }

  #runtime(images: NonNullable<StatsReading["storage"]["images"]>): object {
    const use = { bytes: images.usedBytes, inodes: images.inodesUsed };
    return { imageFs: this.#fs(images, use), containerFs: this.#fs(images, use) };
  }

  #systemContainer(name: string, use: CgroupUse, { bootedAt }: NodeReading): object {
    return {
      name,
      startTime: formatTime(bootedAt),
      cpu: this.#cpu(`system ${name}`, use.cpuSeconds, use.pressures.cpu),
      memory: this.#memory(use),
    };
  }

  pod(pod: PodReading): object {
    const { uid, use } = pod;
    const brief = {
      podRef: { name: pod.name, namespace: pod.namespace, uid },
      startTime: formatTime(pod.startedAt),
      containers: pod.containers.map((container) => this.#container(pod, container)),
      ...(use
        ? {
            cpu: this.#cpu(uid, use.cpuSeconds, use.pressures.cpu),
            memory: this.#memory(use),
          }
        : {}),
    };
    if (this.#isBrief) return brief;
    return {
      ...brief,
      ...(use?.pressures.io ? { io: { time: this.#time, ...pressure(use.pressures.io) } } : {}),
      ...this.#network(pod.interfaces),
      ...(pod.volumes.length > 0
        ? {
            volume: pod.volumes.map(({ name, claim, disk, ...own }) => ({
              ...this.#fs(disk, own),
              name,
              ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace: pod.namespace } }),
            })),
          }
        : {}),
      ...this.#ephemeralStorage(pod),
      ...(use ? { process_stats: { process_count: use.processes }, ...this.#swap(use) } : {}),
    };
  }

  #container({ uid }: PodReading, { name, startedAt, use, layer, logs }: ContainerReading): object {
    const { node, images = node } = this.#reading.storage;
    return {
      name,
      startTime: formatTime(startedAt),
      ...(use
        ? {
            cpu: this.#cpu(`${uid} ${name}`, use.cpuSeconds, use.pressures.cpu),
            memory: this.#memory(use),
            ...(use.pressures.io
              ? { io: { time: this.#time, ...pressure(use.pressures.io) } }
              : {}),
          }
        : {}),
      ...(images && layer ? { rootfs: this.#fs(images, layer) } : {}),
      ...(node && logs ? { logs: this.#fs(node, logs) } : {}),
      ...(use && !this.#isBrief ? this.#swap(use) : {}),
    };
  }

  /** What the Pod has on the node's disk: the containers' own files, their logs, and its own volumes. */
  #ephemeralStorage({ containers, volumes }: PodReading): object {
    const { node } = this.#reading.storage;
    if (!node) return {};
    const own = volumes.filter(({ claim }) => claim === undefined);
    const parts = [...containers.flatMap(({ layer, logs }) => [layer, logs]), ...own];
    const sum = (pick: (use: FolderUse) => number): number =>
      parts.reduce((total, part) => total + (part ? pick(part) : 0), 0);
    const use = { bytes: sum(({ bytes }) => bytes), inodes: sum(({ inodes }) => inodes) };
    return { "ephemeral-storage": this.#fs(node, use) };
  }

  #cpu(key: string, seconds: number, waits: Pressure | undefined): object {
    const rate = this.#rates.nanoCores(key, seconds);
    return {
      time: this.#time,
      ...(rate === undefined ? {} : { usageNanoCores: rate }),
      usageCoreNanoSeconds: Math.round(seconds * 1e9),
      ...pressure(waits),
    };
  }

  #memory(use: CgroupUse): object {
    return {
      time: this.#time,
      ...(use.limitBytes > 0
        ? { availableBytes: Math.max(0, use.limitBytes - use.workingSetBytes) }
        : {}),
      usageBytes: use.usageBytes,
      workingSetBytes: use.workingSetBytes,
      rssBytes: use.rssBytes,
      pageFaults: use.pageFaults,
      majorPageFaults: use.majorPageFaults,
      ...pressure(use.pressures.memory),
    };
  }

  #swap({ swapBytes }: CgroupUse): object {
    return swapBytes === undefined ? {} : { swap: { time: this.#time, swapUsageBytes: swapBytes } };
  }

  #network(interfaces: readonly InterfaceUse[]): object {
    if (interfaces.length === 0) return {};
    const shown = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
      ...{ name, rxBytes, rxErrors, txBytes, txErrors },
    }));
    const first = shown.find(({ name }) => name === DEFAULT_INTERFACE);
    return { network: { time: this.#time, ...first, interfaces: shown } };
  }

  #fs(disk: DiskUse, { bytes, inodes }: FolderUse): object {
    return {
      time: this.#time,
      availableBytes: disk.availableBytes,
      capacityBytes: disk.capacityBytes,
      usedBytes: bytes,
      inodesFree: disk.inodesFree,
      inodes: disk.inodes,
      inodesUsed: inodes,
    };
  }
}

function usedOf({ capacityBytes, availableBytes }: DiskUse): number {
  return capacityBytes - availableBytes;
}

function usedInodes({ inodes, inodesFree }: DiskUse): number {
  return inodes - inodesFree;
}

function pressure(waits: Pressure | undefined): object {
  return waits ? { psi: { full: waits.full, some: waits.some } } : {};
}
