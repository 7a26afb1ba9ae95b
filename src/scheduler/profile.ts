import type { Plugin, Topology } from "./framework.ts";

/** How the Pods that name one scheduler are scheduled. */
export interface Profile {
  /** `spec.schedulerName` of its Pods; also the name under which its events come. */
  readonly schedulerName: string;
  /** Filters run in this order. */
  readonly plugins: readonly Plugin[];
  /** `null`: nobody is evicted for its Pods. */
  readonly preemption: PreemptionSettings | null;
  /** How long the volumes of a Pod that has a node may take to be bound; `null`: nobody waits for them. */
  readonly volumeBindTimeoutMs: number | null;
}

/** How many nodes are compared. @spec k8s@1.36 kubescheduler.config.k8s.io/v1 DefaultPreemptionArgs */
export interface PreemptionSettings {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** A tenth of the nodes that could do, at least 100. */
export const DEFAULT_PREEMPTION: PreemptionSettings = {
  minCandidateNodesPercentage: 10,
  minCandidateNodesAbsolute: 100,
};

/** Which parts of a plugin are at work, and how much its score counts. */
export interface PluginUse {
  readonly filters: boolean;
  readonly scores: boolean;
  readonly weight: number | undefined;
}

/** The plugin with those parts alone. */
export function inUse(plugin: Plugin, { filters, scores, weight }: PluginUse): Plugin {
  const { filter, gate, candidates, scoring, topology, weight: own, ...rest } = plugin;
  const finalWeight = weight ?? own;
  return {
    ...rest,
    ...(finalWeight !== undefined && { weight: finalWeight }),
    ...(filters && filter && { filter }),
    ...(filters && gate && { gate }),
    ...(filters && candidates && { candidates }),
    ...(scores && scoring && { scoring }),
    ...(topology && {
      topology: (input, cluster) => partOf(topology(input, cluster), filters, scores),
    }),
  };
}

function partOf(
  topology: Topology | undefined,
  filters: boolean,
  scores: boolean,
): Topology | undefined {
  if (!topology || (filters && scores)) return topology;
  return {
    look: (slot, node) => topology.look(slot, node),
    ...(filters && topology.test && { test: (slot) => topology.test!(slot) }),
    ...(scores &&
      topology.rank && {
        rank: (slots, count, into) => topology.rank!(slots, count, into),
      }),
    ...(topology.isStale && { isStale: () => topology.isStale!() }),
  };
}
