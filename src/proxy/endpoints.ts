import type { V1Endpoint, V1EndpointSlice, V1ServicePort } from "../gen/types.ts";

/** Where one connection can go. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The node that traffic comes from. */
export interface Origin {
  readonly nodeName: string;
  /** "": it has none, or it is not known yet. */
  readonly zone: string;
}

/**
 * The endpoints that a Service port uses, each once, in a stable order.
 *
 * Ready ones, those that hints give to this node or zone if every one has hints; when there is none that is ready, those that still
 * serve while they end, so that the last Pod of a rollout is not cut off. `isLocalOnly`: of this node, whatever hints say.
 * @spec k8s@1.36 pkg/proxy/topology.go CategorizeEndpoints
 */
export function selectEndpoints(
  slices: readonly V1EndpointSlice[],
  port: V1ServicePort,
  protocol: string,
  origin: Origin,
  isLocalOnly: boolean,
): readonly Endpoint[] {
  const candidates = slices.flatMap((slice) => {
    const found = slice.ports?.find(
      (candidate) =>
        (candidate.name ?? "") === (port.name ?? "") &&
        (candidate.protocol ?? "TCP").toLowerCase() === protocol,
    );
    if (found?.port === undefined) return [];
    return (slice.endpoints ?? [])
      .filter((endpoint) => !isLocalOnly || endpoint.nodeName === origin.nodeName)
      .map((endpoint) => ({ endpoint, port: found.port! }));
  });
  const all = candidates.filter(({ endpoint }) => isReady(endpoint));
  const isNear = isLocalOnly
    ? undefined
    : nearness(
        all.map(({ endpoint }) => endpoint),
        origin,
      );
  const ready = isNear ? all.filter(({ endpoint }) => isNear(endpoint)) : all;
  const chosen =
    ready.length > 0 ? ready : candidates.filter(({ endpoint }) => servesWhileEnding(endpoint));
  const byAddress = new Map(
    chosen.flatMap(({ endpoint, port: number }) => {
      const address = endpoint.addresses[0];
      return address ? [[`${address}:${number}`, { address, port: number }] as const] : [];
    }),
  );
  return [...byAddress].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

/**
 * Whether hints mean an endpoint for this origin; `undefined`: they are not to be followed, for some endpoint has none, or none is
 * for this origin. Nodes go before zones.
 *
 * @spec topologyModeFromHints
 */
function nearness(
  ready: readonly V1Endpoint[],
  { nodeName, zone }: Origin,
): ((endpoint: V1Endpoint) => boolean) | undefined {
  const nodesOf = ({ hints }: V1Endpoint): readonly { readonly name: string }[] =>
    hints?.forNodes ?? [];
  const zonesOf = ({ hints }: V1Endpoint): readonly { readonly name: string }[] =>
    hints?.forZones ?? [];
  for (const [hintsOf, own] of [
    [nodesOf, nodeName],
    [zonesOf, zone],
  ] as const) {
    const isFor = (endpoint: V1Endpoint): boolean =>
      hintsOf(endpoint).some(({ name }) => name === own);
    if (ready.every((endpoint) => hintsOf(endpoint).length > 0) && ready.some(isFor)) return isFor;
  }
  return undefined;
}

function isReady({ conditions }: V1Endpoint): boolean {
  return conditions?.ready ?? true;
}

function servesWhileEnding({ conditions }: V1Endpoint): boolean {
  return (conditions?.serving ?? false) && (conditions?.terminating ?? false);
}
