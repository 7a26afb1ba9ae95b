import { SCORE_MAX, type Plugin, type Scoring } from "../framework.ts";
import { scoredRequests, type Amounts } from "../../api/core/pod-requests.ts";

/** Prefers nodes whose cpu and memory would be used to the same share. */
const balance: Scoring<Amounts> = {
  weight: 1,
  prepare: (pod) => {
    const wanted = scoredRequests(pod);
    return wanted.size > 0 ? wanted : undefined;
  },
  score: (wanted, node) => {
    const share = (name: string): number => {
      const capacity = node.allocatable.get(name) ?? 0;
      const used = (node.scored.get(name) ?? 0) + (wanted.get(name) ?? 0);
      return capacity === 0 ? 1 : Math.min(1, used / capacity);
    };
    // The standard deviation of two shares is half their distance.
    return Math.floor((1 - Math.abs(share("cpu") - share("memory")) / 2) * SCORE_MAX);
  },
};

/** @spec k8s@1.36 plugins/noderesources balanced_allocation.go */
export const balancedAllocation: Plugin = {
  name: "NodeResourcesBalancedAllocation",
  score: balance,
};
