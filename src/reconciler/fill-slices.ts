import type { EndpointSlice } from "../api/discovery/endpoint-slice.ts";
import { equalStored } from "../api/machinery/equality.ts";

export type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];

/** Slices of one port set: what they become. `fresh`: endpoints of slices to create. */
export interface Filled {
  /** Changed slices, by slice. */
  readonly updated: ReadonlyMap<EndpointSlice, readonly Endpoint[]>;
  readonly emptied: readonly EndpointSlice[];
  readonly fresh: readonly (readonly Endpoint[])[];
}

/** What tells two endpoints apart; the rest of an endpoint may change in place. */
export function identityOf({ addresses, hostname, nodeName, targetRef }: Endpoint): string {
  return JSON.stringify([addresses, hostname, nodeName, targetRef?.kind, targetRef?.name,
    targetRef?.namespace, targetRef?.uid]); // prettier-ignore
}

/**
 * Puts `wanted` into as few changed slices as possible.
 *
 * 1. Endpoints stay where they are; those no longer wanted leave. 2. Slices that change anyway are filled up, the
 * fullest first. 3. The rest goes into the one unchanged slice that it fits best, else into new ones.
 * @param isChanged slices that are to be written anyhow (their labels differ).
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice reconcileByPortMapping
 */
export function fillSlices(
  slices: readonly EndpointSlice[],
  wanted: readonly Endpoint[],
  endpointsMax: number,
  isChanged: (slice: EndpointSlice) => boolean,
): Filled {
  const missing = new Map(wanted.map((endpoint) => [identityOf(endpoint), endpoint]));
  const updated = new Map<EndpointSlice, Endpoint[]>();
  const emptied: EndpointSlice[] = [];
  const unchanged: EndpointSlice[] = [];
  for (const slice of slices) {
    const kept = keep(slice, missing);
    const isSame = equalStored(kept, slice.endpoints);
    if (!isSame && kept.length === 0) emptied.push(slice);
    else if (!isSame || isChanged(slice)) updated.set(slice, kept);
    else unchanged.push(slice);
  }
  const rest = [...missing.values()];
  for (const endpoints of [...updated.values()].sort((a, b) => b.length - a.length)) {
    endpoints.push(...rest.splice(0, Math.max(0, endpointsMax - endpoints.length)));
  }
  const best = rest.length > 0 && bestFit(unchanged, rest.length, endpointsMax);
  if (best) updated.set(best, [...(best.endpoints ?? []), ...rest.splice(0)]);
  const fresh: Endpoint[][] = [];
  while (rest.length > 0) fresh.push(rest.splice(0, endpointsMax));
  return { updated, emptied, fresh };
}

/** The endpoints of `slice` that are wanted, in their new form; takes them out of `missing`. */
function keep(slice: EndpointSlice, missing: Map<string, Endpoint>): Endpoint[] {
  return (slice.endpoints ?? []).flatMap((endpoint) => {
    const identity = identityOf(endpoint);
    const found = missing.get(identity);
    missing.delete(identity);
    return found ? [found] : [];
  });
}

/** The slice that is left with the least room. */
function bestFit(
  slices: readonly EndpointSlice[],
  count: number,
  endpointsMax: number,
): EndpointSlice | undefined {
  const roomOf = (slice: EndpointSlice): number =>
    endpointsMax - (slice.endpoints ?? []).length - count;
  return slices.filter((slice) => roomOf(slice) >= 0).sort((a, b) => roomOf(a) - roomOf(b))[0];
}
