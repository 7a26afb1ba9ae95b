import type { V1Pod } from "../../gen/types.ts";
import { podRequests } from "../../api/core/pod-requests.ts";

/** What the node has left. Absent parts are not known, and press nobody. */
export interface NodeSupply {
  readonly memory?: Supply;
  readonly disk?: Supply;
  readonly inodes?: Supply;
  readonly pids?: Supply;
}

/** Bytes, inodes or processes. */
export interface Supply {
  readonly capacity: number;
  readonly available: number;
}

export type Pressure = "MemoryPressure" | "DiskPressure" | "PIDPressure";
export type Signal =
  "memory.available" | "nodefs.available" | "nodefs.inodesFree" | "pid.available";

/** Less than this is too little: an amount, or a part of the capacity. */
export interface Threshold {
  readonly signal: Signal;
  readonly least: number;
  /** `least` is a part (0.1) of the capacity. */
  readonly isPart: boolean;
  /** As messages name it: `100Mi`, `10%`. */
  readonly text: string;
}

/** @spec k8s@1.36 pkg/kubelet/eviction defaults_linux.go; PIDs have none there, and a node without any cannot recover */
export const THRESHOLDS_DEFAULT: readonly Threshold[] = [
  { signal: "memory.available", least: 100 * 1024 * 1024, isPart: false, text: "100Mi" },
  { signal: "nodefs.available", least: 0.1, isPart: true, text: "10%" },
  { signal: "nodefs.inodesFree", least: 0.05, isPart: true, text: "5%" },
  { signal: "pid.available", least: 0.02, isPart: true, text: "2%" },
];

interface SignalFacts {
  readonly pressure: Pressure;
  readonly supply: keyof NodeSupply;
  /** As messages name it. */
  readonly resource: string;
}

export const SIGNALS: Readonly<Record<Signal, SignalFacts>> = {
  "memory.available": { pressure: "MemoryPressure", supply: "memory", resource: "memory" },
  "nodefs.available": { pressure: "DiskPressure", supply: "disk", resource: "ephemeral-storage" },
  "nodefs.inodesFree": { pressure: "DiskPressure", supply: "inodes", resource: "inodes" },
  "pid.available": { pressure: "PIDPressure", supply: "pids", resource: "pids" },
};

/** Which thresholds are crossed, memory first. */
export function crossed(
  supply: NodeSupply,
  thresholds: readonly Threshold[],
): readonly Threshold[] {
  return thresholds.filter(({ signal, least, isPart }) => {
    const found = supply[SIGNALS[signal].supply];
    if (!found || found.capacity === 0) return false;
    return found.available < (isPart ? least * found.capacity : least);
  });
}

/** What one Pod uses, summed over its containers. */
export interface PodUse {
  readonly pod: V1Pod;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly inodes: number;
  readonly processes: number;
}

const PRIORITY_CRITICAL = 2_000_000_000;

/**
 * The Pod to end first, or `undefined`: those above their request before others, low priority before high, and those
 * that are furthest above before the rest. Critical Pods are never chosen.
 *
 * @spec k8s@1.36 pkg/kubelet/eviction/helpers.go rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure
 */
export function victimOf(signal: Signal, pods: readonly PodUse[]): PodUse | undefined {
  const over = (one: PodUse): number => excess(signal, one);
  const knowsRequests = signal === "memory.available" || signal === "nodefs.available";
  return [...pods]
    .filter(({ pod }) => (pod.spec?.priority ?? 0) < PRIORITY_CRITICAL)
    .sort((a, b) => {
      const isOver = (one: PodUse): number => (knowsRequests && over(one) > 0 ? 0 : 1);
      const priority = (one: PodUse): number => one.pod.spec?.priority ?? 0;
      return isOver(a) - isOver(b) || priority(a) - priority(b) || over(b) - over(a);
    })[0];
}

function excess(
  signal: Signal,
  { pod, memoryBytes, diskBytes, inodes, processes }: PodUse,
): number {
  switch (signal) {
    case "memory.available":
      return memoryBytes - (podRequests(pod).get("memory") ?? 0);
    case "nodefs.available":
      return diskBytes - (podRequests(pod).get("ephemeral-storage") ?? 0);
    case "nodefs.inodesFree":
      return inodes;
    case "pid.available":
      return processes;
  }
}

/** What the evicted Pod's status says. @spec eviction/helpers.go evictionMessage */
export function evictionMessage({ signal, text }: Threshold, available: number): string {
  const isBytes = signal === "memory.available" || signal === "nodefs.available";
  const left = isBytes ? `${Math.max(0, Math.floor(available / 1024))}Ki` : String(available);
  return (
    `The node was low on resource: ${SIGNALS[signal].resource}. ` +
    `Threshold quantity: ${text}, available: ${left}. `
  );
}

/** Longest life of a pressure after it was seen last, in ms. @spec kubelet config evictionPressureTransitionPeriod */
export const TRANSITION_MS = 5 * 60_000;

/** Pressures that hold: those that are there, and those that were until a moment ago. */
export function pressuresAt(
  seenAt: ReadonlyMap<Pressure, number>,
  now: number,
): ReadonlySet<Pressure> {
  return new Set([...seenAt].filter(([, at]) => now - at < TRANSITION_MS).map(([one]) => one));
}
