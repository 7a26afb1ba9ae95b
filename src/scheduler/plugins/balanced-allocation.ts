import { SCORE_MAX, type Plugin, type Scoring } from "../framework.ts";
import { requestsOf } from "../resources.ts";

interface Wanted {
  readonly cpu: number;
  readonly memory: number;
}

/** Prefers nodes whose cpu and memory would be used to the same share. */
const balance: Scoring<Wanted> = {
  scorer:
    ({ cpu, memory }) =>
    ({ allocatable, requested }) => {
      // Of one share alone there is no deviation.
      if (allocatable.cpu === 0 || allocatable.memory === 0) return SCORE_MAX;
      const cpuShare = Math.min(1, (requested.cpu + cpu) / allocatable.cpu);
      const memoryShare = Math.min(1, (requested.memory + memory) / allocatable.memory);
      // The standard deviation of two shares is half their distance.
      return Math.floor((1 - Math.abs((cpuShare - memoryShare) / 2)) * SCORE_MAX);
    },
};

/** Pods that ask for nothing are left out: to them all nodes would be one and the same. @spec k8s@1.36 plugins/noderesources balanced_allocation.go */
export const balancedAllocation: Plugin<Wanted> = {
  name: "NodeResourcesBalancedAllocation",
  read: (spec) => {
    const { cpu, memory } = requestsOf({ spec });
    return cpu === 0 && memory === 0 ? undefined : { cpu, memory };
  },
  scoring: balance,
};
