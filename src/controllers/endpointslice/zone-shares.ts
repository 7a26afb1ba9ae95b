import type { Node } from "../../api/core/node.ts";
import { quantityMillis } from "../../api/machinery/quantity.ts";
import { readinessOf } from "../../reconciler/node-state.ts";

const ZONE_LABEL = "topology.kubernetes.io/zone";
/** Nodes with one of these count for no zone. @spec hasExcludedLabels */
const EXCLUDED = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** The part of the cluster's cpu that each zone has; together 1. */
export type ZoneShares = ReadonlyMap<string, number>;

/** What of a node counts for the shares of zones; `undefined`: nothing. */
export function shareOf(
  node: Node | undefined,
): { readonly zone: string; readonly cpu: number } | undefined {
  const labels = node?.metadata?.labels ?? {};
  if (!node || EXCLUDED.some((label) => label in labels) || readinessOf(node) !== "True")
    return undefined;
  const cpu = quantityMillis(node.status?.allocatable?.["cpu"] ?? "0");
  return { zone: labels[ZONE_LABEL] ?? "", cpu };
}

/**
 * `undefined`: a node that counts has no zone or no cpu, or there are not two zones.
 *
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice/topologycache SetNodes
 */
export function zoneShares(nodes: readonly Node[]): ZoneShares | undefined {
  const shares = nodes.map(shareOf).filter((share) => share !== undefined);
  if (shares.some(({ zone, cpu }) => zone === "" || cpu === 0)) return undefined;
  const total = shares.reduce((sum, { cpu }) => sum + cpu, 0);
  const byZone = new Map<string, number>();
  for (const { zone, cpu } of shares) byZone.set(zone, (byZone.get(zone) ?? 0) + cpu);
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].sort(byName).map(([zone, cpu]) => [zone, cpu / total]));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
