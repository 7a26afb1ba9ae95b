import type { ZoneShares } from "./zone-shares.ts";

/** Part by which an endpoint may have more to do than if all were alike. @spec topologycache overloadThreshold */
const OVERLOAD = 0.2;

/** A ready endpoint: where it is, and for whom it was until now. */
export interface Placed {
  readonly zone: string | undefined;
  readonly hint?: string | undefined;
}

/** For whom each endpoint is, in their order; or why that cannot be said, in upstream's words. */
export type Spread = { readonly zones: readonly string[] } | { readonly problem: string };

interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/**
 * Gives each zone endpoints by its part of the cluster's cpu: mostly its own, and some of a zone that has more than it needs.
 *
 * 1. Who has a hint keeps it, as long as no zone has too many or too few. 2. Else who has none is for its own zone.
 * 3. The zones that have the most too many give to those that lack the most; who has no hint yet goes first.
 * Upstream keeps the hints of whole slices that do not change; the bounds and the arithmetic are the same.
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice/topologycache AddHints, getAllocations, getGivingAndReceivingZones
 */
export function spread(endpoints: readonly Placed[], shares: ZoneShares | undefined): Spread {
  const allocations = allocationsOf(endpoints.length, shares);
  if (typeof allocations === "string") return { problem: allocations };
  if (endpoints.some(({ zone }) => !zone))
    return { problem: "One or more endpoints do not have a zone specified" };
  const isKnown = (zone: string | undefined): zone is string =>
    zone !== undefined && allocations.has(zone);
  const hints = endpoints.map(({ hint }) => (isKnown(hint) ? hint : undefined));
  const kept = hints.filter((hint) => hint !== undefined);
  if (kept.length === endpoints.length && isBalanced(kept, allocations)) return { zones: kept };
  const zones = endpoints.map(({ zone }, index) => hints[index] ?? zone!);
  const { giving, receiving } = exchange(countOf(zones), allocations);
  const order = [...endpoints.keys()].sort(
    (a, b) => Number(hints[a] !== undefined) - Number(hints[b] !== undefined) || a - b,
  );
  for (const index of order) {
    const from = zones[index]!;
    const [to] = receiving.keys();
    if (to === undefined || !giving.has(from)) continue;
    zones[index] = to;
    takeOne(giving, from);
    takeOne(receiving, to);
  }
  return { zones };
}

function allocationsOf(
  total: number,
  shares: ZoneShares | undefined,
): ReadonlyMap<string, Allocation> | string {
  if (!shares)
    return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const amount = `(${total} endpoints, ${shares.size} zones)`;
  if (shares.size > total) return `Insufficient number of endpoints ${amount}`;
  const minima = new Map(
    [...shares].map(([zone, share]) => [zone, Math.ceil(share * total * (1 / (1 + OVERLOAD)))]),
  );
  const least = [...minima.values()].reduce((sum, minimum) => sum + minimum, 0);
  if (least > total) {
    const rule = "without exceeding overload threshold";
    return `Unable to allocate minimum required endpoints to each zone ${rule} ${amount}`;
  }
  return new Map(
    [...shares].map(([zone, share]) => {
      const minimum = minima.get(zone)!;
      const desired = Math.max(share * total, minimum);
      return [zone, { minimum, maximum: minimum + total - least, desired }];
    }),
  );
}

function isBalanced(
  zones: readonly string[],
  allocations: ReadonlyMap<string, Allocation>,
): boolean {
  const counts = countOf(zones);
  return [...allocations].every(([zone, { minimum, maximum }]) => {
    const count = counts.get(zone) ?? 0;
    return count >= minimum && count <= maximum;
  });
}

function countOf(zones: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const zone of zones) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

/** How many endpoints each zone gives away and gets. */
function exchange(
  counts: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): { readonly giving: Map<string, number>; readonly receiving: Map<string, number> } {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  // A zone without nodes has nobody to serve.
  for (const [zone, count] of counts) if (!allocations.has(zone)) surplus.set(zone, count);
  for (const [zone, { desired }] of allocations) {
    const more = (counts.get(zone) ?? 0) - desired;
    if (more > 0) surplus.set(zone, more);
    else if (more < 0) lack.set(zone, -more);
  }
  const [giving, receiving] = [new Map<string, number>(), new Map<string, number>()];
  for (;;) {
    const [from, give] = most(surplus);
    const [to, get] = most(lack);
    if (give < 0.5 || get < 0.5 || (give < 1 && get < 1)) return { giving, receiving };
    giving.set(from, (giving.get(from) ?? 0) + 1);
    receiving.set(to, (receiving.get(to) ?? 0) + 1);
    surplus.set(from, give - 1);
    lack.set(to, get - 1);
  }
}

/** The greatest amount; of equals the first. Nothing: 0. */
function most(amounts: ReadonlyMap<string, number>): readonly [zone: string, amount: number] {
  let best: readonly [string, number] = ["", 0];
  for (const entry of amounts) if (entry[1] > best[1]) best = entry;
  return best;
}

function takeOne(amounts: Map<string, number>, zone: string): void {
  const left = amounts.get(zone)! - 1;
  if (left === 0) amounts.delete(zone);
  else amounts.set(zone, left);
}
