/**
 * What the node's table has to hold, as plain text keys and values: comparing two plans gives the transaction.
 */
export interface RulePlan {
  readonly maps: Readonly<Record<MapName, ReadonlyMap<string, string>>>;
  /** Chains beyond the fixed ones, by name. */
  readonly chains: ReadonlyMap<string, ChainPlan>;
}

export interface ChainPlan {
  readonly rules: readonly string[];
  /** Sets of client addresses that its rules fill, by name, with how long a client stays in them. */
  readonly clientSets: ReadonlyMap<string, { readonly seconds: number }>;
}

/**
 * - `services`: address . protocol . port → verdict (ClusterIP, external address)
 * - `nodeports`: protocol . port → verdict
 * - `endpoints`: index . address . protocol . port → endpoint address . port
 * - `nodeport_endpoints`: index . protocol . port → endpoint address . port
 * - `hostports`: protocol . port → pod address . port (any address of the node); `hostports_at`: address . protocol . port
 * - `refused`: address . protocol . port of Services without endpoints; `refused_nodeports` likewise
 * - `hairpins`: endpoint address . endpoint address
 */
export type MapName =
  | "services"
  | "nodeports"
  | "endpoints"
  | "nodeport_endpoints"
  | "hostports"
  | "hostports_at"
  | "refused"
  | "refused_nodeports"
  | "hairpins";

/** All maps, in the order in which a transaction mentions them. */
export const MAP_NAMES: readonly MapName[] = [
  "services",
  "nodeports",
  "endpoints",
  "nodeport_endpoints",
  "hostports",
  "hostports_at",
  "refused",
  "refused_nodeports",
  "hairpins",
];

/** Maps that are sets: their elements have no value. */
export const SETS: ReadonlySet<MapName> = new Set(["refused", "refused_nodeports", "hairpins"]);

/** The plan of a node that serves nothing. */
export function emptyPlan(): RulePlan {
  const maps = Object.fromEntries(MAP_NAMES.map((name) => [name, new Map<string, string>()]));
  return { maps: maps as unknown as RulePlan["maps"], chains: new Map() };
}

/** Connection mark of what came in by a node port. */
export const OUTSIDE_MARK = "0x4000";
