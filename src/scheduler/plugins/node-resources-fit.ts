import type { V1Pod } from "../../gen/types.ts";
import { SCORE_MAX, type Plugin, type Scoring } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { podRequests, scoredRequests, type Amounts } from "../../api/core/pod-requests.ts";

/** Resources that the score weighs, equally. @spec k8s@1.36 default NodeResourcesFitArgs */
const SCORED = ["cpu", "memory"] as const;

/** The emptier the node after placing, the better. */
const leastAllocated: Scoring<Amounts> = {
  weight: 1,
  prepare: (pod) => scoredRequests(pod),
  score: (wanted, node) => {
    let sum = 0;
    let weighed = 0;
    for (const name of SCORED) {
      const capacity = node.allocatable.get(name) ?? 0;
      if (capacity === 0) continue;
      weighed++;
      const used = (node.scored.get(name) ?? 0) + (wanted.get(name) ?? 0);
      if (used <= capacity) sum += Math.floor(((capacity - used) * SCORE_MAX) / capacity);
    }
    return weighed === 0 ? 0 : Math.floor(sum / weighed);
  },
};

/** Requests must fit into what the node has left. @spec k8s@1.36 plugins/noderesources fit.go, least_allocated.go */
export const nodeResourcesFit: Plugin<Amounts> = {
  name: "NodeResourcesFit",
  prepareFilter: (pod) => podRequests(pod),
  filter: (wanted, node) => {
    const reasons: string[] = [];
    let isUnresolvable = false;
    if (node.pods.size + 1 > (node.allocatable.get("pods") ?? 0)) reasons.push("Too many pods");
    for (const [name, amount] of wanted) {
      if (amount === 0) continue;
      const capacity = node.allocatable.get(name) ?? 0;
      if (amount <= capacity - (node.requested.get(name) ?? 0)) continue;
      reasons.push(`Insufficient ${name}`);
      isUnresolvable ||= amount > capacity;
    }
    return reasons.length > 0 ? { reasons, isUnresolvable } : undefined;
  },
  score: leastAllocated,
  canHelp: (change, pod) =>
    change.kind === "pod-freed" || fitsEmpty(pod, change.node.status?.allocatable),
};

/** Cheap test of a changed node: could the Pod fit if the node were empty? */
function fitsEmpty(pod: V1Pod, allocatable: Readonly<Record<string, string>> | undefined): boolean {
  const wanted = [...podRequests(pod).keys()];
  return wanted.every((name) => allocatable?.[name] !== undefined);
}

/** What `skiff why` and the tests ask: the node's free amount of one resource. */
export function freeAmount(node: NodeInfo, name: string): number {
  return (node.allocatable.get(name) ?? 0) - (node.requested.get(name) ?? 0);
}
