import type { V1Endpoint, V1EndpointSlice, V1ServicePort } from "../gen/types.ts";

/** Where one connection can go. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * The endpoints that a Service port uses, each once, in a stable order.
 *
 * Ready ones; when there is none, those that still serve while they end, so that the last Pod of a rollout is not cut off.
 * @spec k8s@1.36 pkg/proxy/topology.go CategorizeEndpoints
 */
export function selectEndpoints(
  slices: readonly V1EndpointSlice[],
  port: V1ServicePort,
  protocol: string,
  nodeName: string,
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
      .filter((endpoint) => !isLocalOnly || endpoint.nodeName === nodeName)
      .map((endpoint) => ({ endpoint, port: found.port! }));
  });
  const ready = candidates.filter(({ endpoint }) => isReady(endpoint));
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

function isReady({ conditions }: V1Endpoint): boolean {
  return conditions?.ready ?? true;
}

function servesWhileEnding({ conditions }: V1Endpoint): boolean {
  return (conditions?.serving ?? false) && (conditions?.terminating ?? false);
}
