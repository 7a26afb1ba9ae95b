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

/** How many nodes of a zone say that they are ready. */
export interface ZoneCount {
  ready: number;
  notReady: number;
}

/** How far apart nodes of each zone may begin to be evicted, in ms; `Infinity`: not at all. */
export function evictionIntervals(
  zones: ReadonlyMap<string, Readonly<ZoneCount>>,
): ReadonlyMap<string, number> {
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

interface Health {
  readonly zone: string;
  readonly isReady: boolean;
  readonly isCounted: boolean;
}

/** The health of all nodes, folded from their changes: thousands of heartbeats must not walk over thousands of nodes. */
export class ZoneHealth {
  readonly #nodes = new Map<string, Health>();
  readonly #zones = new Map<string, ZoneCount>();
  readonly #ill = new Set<string>();
  #intervals: ReadonlyMap<string, number> = new Map();

  /** Nodes that do not say that they are ready. */
  get ill(): ReadonlySet<string> {
    return this.#ill;
  }

  /** `undefined`: it is gone. @returns true: some zone evicts at another pace now. */
  set(name: string, node: Node | undefined): boolean {
    const health = node && healthOf(node);
    const old = this.#nodes.get(name);
    if (isSame(old, health)) return false;
    this.#count(old, -1);
    this.#count(health, 1);
    if (health) this.#nodes.set(name, health);
    else this.#nodes.delete(name);
    if (health && !health.isReady) this.#ill.add(name);
    else this.#ill.delete(name);
    const before = this.#intervals;
    this.#intervals = evictionIntervals(this.#zones);
    return [...this.#intervals].some(([zone, ms]) => before.get(zone) !== ms);
  }

  /** {@link evictionIntervals} of one zone; `Infinity` for one without nodes that count. */
  intervalMs(zone: string): number {
    return this.#intervals.get(zone) ?? Infinity;
  }

  #count(health: Health | undefined, by: 1 | -1): void {
    if (!health?.isCounted) return;
    const { zone, isReady } = health;
    const count = this.#zones.get(zone) ?? { ready: 0, notReady: 0 };
    if (isReady) count.ready += by;
    else count.notReady += by;
    if (count.ready + count.notReady === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, count);
  }
}

function isSame(a: Health | undefined, b: Health | undefined): boolean {
  return a?.zone === b?.zone && a?.isReady === b?.isReady && a?.isCounted === b?.isCounted;
}

function healthOf(node: Node): Health {
  const labels = node.metadata?.labels;
  return {
    zone: zoneOf(node),
    isReady: readinessOf(node) === "True",
    isCounted: !(labels && EXCLUDED in labels),
  };
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
