import { SCORE_MAX, type NodeScorer } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

/** A resource that a score counts, and how much. */
export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

/** One point of the line from utilization (%) to score (0–10). */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

/** How free resources make a node better or worse. @spec k8s@1.36 kubescheduler.config.k8s.io/v1 ScoringStrategy */
export interface ScoringStrategy {
  readonly type: "LeastAllocated" | "MostAllocated" | "RequestedToCapacityRatio";
  readonly resources: readonly WeightedResource[];
  /** Of `RequestedToCapacityRatio`, ascending. */
  readonly shape: readonly ShapePoint[];
}

/** The emptier the node after placing, the better. */
export const LEAST_ALLOCATED: ScoringStrategy = {
  type: "LeastAllocated",
  resources: [
    { name: "cpu", weight: 1 },
    { name: "memory", weight: 1 },
  ],
  shape: [],
};

/** Score of one resource: what would be used, of how much. */
type ResourceScore = (used: number, capacity: number) => number;

/**
 * The weighted mean over the resources that the node has, and that the Pod asks for if they are extended ones.
 *
 * @param wanted what the Pod asks for, in the order of the strategy's resources.
 * @spec k8s@1.36 noderesources resource_allocation.go, least_allocated.go, most_allocated.go, requested_to_capacity_ratio.go
 */
export function strategyScorer(strategy: ScoringStrategy, wanted: readonly number[]): NodeScorer {
  const { resources, type } = strategy;
  const isBasic = type === "LeastAllocated" && isCpuAndMemory(resources);
  if (isBasic) return leastOfBoth(wanted[0]!, wanted[1]!);
  const scoreOf = SCORES[type](strategy);
  const isRatio = type === "RequestedToCapacityRatio";
  return (node) => {
    let [sum, weights] = [0, 0];
    for (let i = 0; i < resources.length; i++) {
      const { name, weight } = resources[i]!;
      const capacity = node.allocatable.get(name);
      if (capacity === 0 || (wanted[i] === 0 && name.includes("/"))) continue;
      const score = scoreOf(usedOf(node, name) + wanted[i]!, capacity);
      // The ratio leaves out resources that score nothing.
      if (isRatio && score <= 0) continue;
      sum += score * weight;
      weights += weight;
    }
    if (weights === 0) return 0;
    return isRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
  };
}

/** cpu and memory count a little for containers that ask for none; others as they are. */
function usedOf({ scored }: NodeInfo, name: string): number {
  return scored.get(name);
}

function isCpuAndMemory(resources: readonly WeightedResource[]): boolean {
  const [cpu, memory] = resources;
  return (
    resources.length === 2 &&
    cpu?.name === "cpu" &&
    memory?.name === "memory" &&
    cpu.weight === 1 &&
    memory.weight === 1
  );
}

/** The same for the default, without the way through names: it is asked for every node. */
function leastOfBoth(cpu: number, memory: number): NodeScorer {
  return ({ allocatable, scored }) => {
    const hasCpu = allocatable.cpu !== 0;
    const hasMemory = allocatable.memory !== 0;
    if (!hasCpu && !hasMemory) return 0;
    const sum =
      least(scored.cpu + cpu, allocatable.cpu) + least(scored.memory + memory, allocatable.memory);
    return hasCpu && hasMemory ? Math.floor(sum / 2) : sum;
  };
}

function least(used: number, capacity: number): number {
  return used > capacity || capacity === 0
    ? 0
    : Math.floor(((capacity - used) * SCORE_MAX) / capacity);
}

function most(used: number, capacity: number): number {
  return Math.floor((Math.min(used, capacity) * SCORE_MAX) / capacity);
}

const SCORES: Readonly<
  Record<ScoringStrategy["type"], (strategy: ScoringStrategy) => ResourceScore>
> = {
  LeastAllocated: () => least,
  MostAllocated: () => most,
  RequestedToCapacityRatio: ({ shape }) => {
    const line = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }));
    return (used, capacity) =>
      onLine(line, used > capacity ? 100 : Math.floor((used * 100) / capacity));
  },
};

/** Between two points by the straight line, outside of them by the nearest; whole numbers. */
function onLine(line: readonly ShapePoint[], at: number): number {
  const next = line.findIndex(({ utilization }) => at <= utilization);
  if (next < 0) return line.at(-1)?.score ?? 0;
  if (next === 0) return line[0]!.score;
  const [a, b] = [line[next - 1]!, line[next]!];
  const rise = (b.score - a.score) * (at - a.utilization);
  return a.score + Math.trunc(rise / (b.utilization - a.utilization));
}
