import type { Claims } from "../claims.ts";
import { SELF, UNCHANGED, type Reach } from "../domains.ts";
import type { Rejection, Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

/**
 * A rule about volumes: what it says of a node follows from the node and from what is known of claims and volumes, and is made
 * anew when any of that changes. Pods without claims have none, so they pay nothing for it.
 */
export function volumeTopology(
  claims: Claims,
  judge: (node: NodeInfo) => Rejection | undefined,
): Topology {
  const { version } = claims;
  const verdicts: (Rejection | undefined)[] = [];
  return {
    look(slot, node): Reach {
      const verdict = node && judge(node);
      if (verdicts[slot] === verdict) return UNCHANGED;
      verdicts[slot] = verdict;
      return SELF;
    },
    test: (slot) => verdicts[slot],
    isStale: () => claims.version !== version,
  };
}
