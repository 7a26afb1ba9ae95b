import { family } from "./resource-metrics.ts";
import type { VolumeReading } from "./stats-reading.ts";

/** A volume that a Pod claimed. */
export interface ClaimReading extends VolumeReading {
  readonly namespace: string;
}

const GAUGES: Readonly<Record<string, (reading: ClaimReading) => number>> = {
  capacity_bytes: ({ disk }) => disk.capacityBytes,
  available_bytes: ({ disk }) => disk.availableBytes,
  used_bytes: ({ bytes }) => bytes,
  inodes: ({ disk }) => disk.inodes,
  inodes_free: ({ disk }) => disk.inodesFree,
  inodes_used: ({ inodes }) => inodes,
};

/** How full claims are: each once, however many Pods have it. @spec k8s@1.36 pkg/kubelet/metrics/collectors/volume_stats.go */
export function volumeMetrics(readings: readonly ClaimReading[]): string {
  const byLabels = new Map<string, ClaimReading>();
  for (const reading of readings) {
    const [namespace, claim] = [reading.namespace, reading.claim].map((text) =>
      JSON.stringify(text),
    );
    const labels = `{namespace=${namespace},persistentvolumeclaim=${claim}}`;
    if (!byLabels.has(labels)) byLabels.set(labels, reading);
  }
  if (byLabels.size === 0) return "";
  return Object.entries(GAUGES)
    .map(([name, valueOf]) => {
      const samples = [...byLabels].map(([labels, one]) => [labels, valueOf(one)] as const);
      return family(`kubelet_volume_stats_${name}`, "gauge", samples);
    })
    .join("");
}
