import { SCORE_MAX, type NodeScorer, type Plugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { requestsOf } from "../resources.ts";

const CPU_AND_MEMORY: readonly string[] = ["cpu", "memory"];

/**
 * Prefers nodes whose resources would be used to the same share.
 *
 * Pods that ask for nothing are left out: to them all nodes would be one and the same.
 * @spec k8s@1.36 plugins/noderesources balanced_allocation.go
 */
export function balancedAllocation(
  resources: readonly string[] = CPU_AND_MEMORY,
): Plugin<readonly number[]> {
  return {
    name: "NodeResourcesBalancedAllocation",
    read: (spec) => {
      const requests = requestsOf({ spec });
      const wanted = resources.map((name) => requests.get(name));
      return wanted.every((amount) => amount === 0) ? undefined : wanted;
    },
    scoring: { scorer: (wanted) => balance(resources, wanted) },
  };
}

function balance(resources: readonly string[], wanted: readonly number[]): NodeScorer {
  if (resources.join() === CPU_AND_MEMORY.join()) return balanceOfBoth(wanted[0]!, wanted[1]!);
  return (node) => {
    const shares = resources.flatMap((name, index) => shareOf(node, name, wanted[index]!));
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
    const deviation = shares.length < 2 ? 0 : Math.sqrt(squares / shares.length);
    return Math.floor((1 - deviation) * SCORE_MAX);
  };
}

function shareOf(
  { allocatable, requested }: NodeInfo,
  name: string,
  wanted: number,
): readonly number[] {
  const capacity = allocatable.get(name);
  if (capacity === 0 || (wanted === 0 && name.includes("/"))) return [];
  return [Math.min(1, (requested.get(name) + wanted) / capacity)];
}

function balanceOfBoth(cpu: number, memory: number): NodeScorer {
  return ({ allocatable, requested }) => {
    // Of one share alone there is no deviation.
    if (allocatable.cpu === 0 || allocatable.memory === 0) return SCORE_MAX;
    const cpuShare = Math.min(1, (requested.cpu + cpu) / allocatable.cpu);
    const memoryShare = Math.min(1, (requested.memory + memory) / allocatable.memory);
    // The standard deviation of two shares is half their distance.
    return Math.floor((1 - Math.abs((cpuShare - memoryShare) / 2)) * SCORE_MAX);
  };
}
