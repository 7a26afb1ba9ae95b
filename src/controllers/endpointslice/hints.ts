import type { Service } from "../../api/core/service.ts";
import { identityOf, type Endpoint } from "../../reconciler/fill-slices.ts";
import { spread } from "./spread.ts";
import type { ZoneShares } from "./zone-shares.ts";

/** The older name wins where both are given. @spec k8s@1.36 staging/src/k8s.io/endpointslice/utils.go hintsEnabled */
const MODE_ANNOTATIONS = [
  "service.kubernetes.io/topology-aware-hints",
  "service.kubernetes.io/topology-mode",
];

/** True when the annotation asks for hints by the size of zones; it goes before {@link trafficDistributionOf}. */
export function isTopologyAuto({ metadata }: Service): boolean {
  const name = MODE_ANNOTATIONS.find(
    (annotation) => metadata?.annotations?.[annotation] !== undefined,
  );
  const mode = name && metadata?.annotations?.[name];
  return mode === "Auto" || mode === "auto";
}

/** Whose endpoints a client is to get first, as far as the Service says it and the annotation does not. */
export function trafficDistributionOf(
  service: Service,
): "PreferClose" | "PreferSameZone" | "PreferSameNode" | undefined {
  const wish = service.spec?.trafficDistribution;
  const isKnown = wish === "PreferClose" || wish === "PreferSameZone" || wish === "PreferSameNode";
  return isKnown && !isTopologyAuto(service) ? wish : undefined;
}

/** Endpoints with their hints. */
export interface Hinted {
  readonly endpoints: readonly Endpoint[];
  /** Of the annotation: why there are no hints. */
  readonly problem?: string;
}

/**
 * The endpoints of one family with the hints that the Service asks for; those that are not ready have none.
 *
 * Hints by the size of zones stay with their endpoints for as long as no zone has too few or too many.
 * @param known the endpoints of the slices that there are.
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice/{trafficdist,topologycache}
 */
export function withHints(
  service: Service,
  endpoints: readonly Endpoint[],
  known: readonly Endpoint[],
  shares: ZoneShares | undefined,
): Hinted {
  if (isTopologyAuto(service)) return spreadOver(endpoints, known, shares);
  const wish = trafficDistributionOf(service);
  if (wish === undefined) return { endpoints };
  return { endpoints: endpoints.map((endpoint) => ownHint(endpoint, wish === "PreferSameNode")) };
}

/** An endpoint is for clients of its own zone, and of its own node if that is asked for. */
function ownHint(endpoint: Endpoint, isNodeToo: boolean): Endpoint {
  const { zone, nodeName } = endpoint;
  const forNodes = isNodeToo && nodeName ? [{ name: nodeName }] : undefined;
  if (!isReady(endpoint) || (!zone && !forNodes)) return endpoint;
  const hints = {
    ...(zone && { forZones: [{ name: zone }] }),
    ...(forNodes && { forNodes }),
  };
  return { ...endpoint, hints };
}

function spreadOver(
  endpoints: readonly Endpoint[],
  known: readonly Endpoint[],
  shares: ZoneShares | undefined,
): Hinted {
  const hintOf = new Map(
    known.map((endpoint) => [identityOf(endpoint), endpoint.hints?.forZones?.[0]?.name]),
  );
  const ready = endpoints.filter(isReady);
  const spreading = spread(
    ready.map((endpoint) => ({ zone: endpoint.zone, hint: hintOf.get(identityOf(endpoint)) })),
    shares,
  );
  if ("problem" in spreading) return { endpoints, problem: spreading.problem };
  const zoneOf = new Map(ready.map((endpoint, index) => [endpoint, spreading.zones[index]!]));
  return {
    endpoints: endpoints.map((endpoint) => {
      const name = zoneOf.get(endpoint);
      return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } };
    }),
  };
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready === true;
}
