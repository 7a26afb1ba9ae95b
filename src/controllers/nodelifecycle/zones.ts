import type { Node } from "../../api/core/node.ts";
import { readinessOf } from "../../reconciler/node-state.ts";

/** Nodes that a zone may begin to evict: one each so many ms. @spec --node-eviction-rate 0.1/s */
const EVICTION_INTERVAL_MS = 10_000;
/** The same while much of the zone is ill. @spec --secondary-node-eviction-rate 0.01/s */
const SLOW_INTERVAL_MS = 100_000;
/** Part of a zone that is ill before it counts as disrupted. @spec --unhealthy-zone-threshold */
const UNHEALTHY_PART = 0.55;
/** A disrupted zone of at most so many nodes evicts nothing. @spec --large-cluster-size-threshold */
const LARGE_ZONE_NODES = 50;

const EXCLUDED = "node.kubernetes.io/exclude-disruption";

export type ZoneState = "normal" | "partial" | "full";

/** @spec k8s@1.36 node_lifecycle_controller.go GetZoneKey */
export function zoneOf(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  const region = labels["topology.kubernetes.io/region"] ?? "";
  return `${region}:\u0000:${labels["topology.kubernetes.io/zone"] ?? ""}`;
}

/** @spec ComputeZoneState */
export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return "full";
  return notReady > 2 && notReady / (notReady + ready) >= UNHEALTHY_PART ? "partial" : "normal";
}

/** How far apart nodes of each zone may begin to be evicted, in ms; `Infinity`: not at all. */
export function evictionIntervals(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const zones = new Map<string, { ready: number; notReady: number }>();
  for (const node of nodes) {
    if (node.metadata?.labels && EXCLUDED in node.metadata.labels) continue;
    const zone = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
    zones.set(zoneOf(node), zone);
    if (readinessOf(node) === "True") zone.ready++;
    else zone.notReady++;
  }
  const states = [...zones.values()].map(({ ready, notReady }) => zoneState(ready, notReady));
  // When no zone has a healthy node, the fault is more likely ours than all of theirs.
  const isAllLost = states.length > 0 && states.every((state) => state === "full");
  return new Map(
    [...zones].map(([zone, { ready, notReady }]) => {
      if (isAllLost) return [zone, Infinity];
      if (zoneState(ready, notReady) !== "partial") return [zone, EVICTION_INTERVAL_MS];
      return [zone, ready + notReady > LARGE_ZONE_NODES ? SLOW_INTERVAL_MS : Infinity];
    }),
  );
}

/** When each zone may begin to evict its next node. */
export class EvictionPace {
  /** By zone, on the monotonic clock. */
  readonly #lastMs = new Map<string, number>();

  /** How long until then; not positive: it may now. */
  restMs(zone: string, intervalMs: number, steadyMs: number): number {
    const lastMs = this.#lastMs.get(zone);
    if (intervalMs === Infinity) return Infinity;
    return lastMs === undefined ? -Infinity : lastMs + intervalMs - steadyMs;
  }

  begun(zone: string, steadyMs: number): void {
    this.#lastMs.set(zone, steadyMs);
  }
}
