import type { V1Endpoint, V1EndpointSlice } from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type OlderVersion } from "../machinery/older-version.ts";
import { withField } from "../strategy/strategy.ts";

const ZONE = "topology.kubernetes.io/zone";
const HOSTNAME = "kubernetes.io/hostname";

const hub = { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice" };

type Labels = Readonly<Record<string, string>>;

/** In `v1beta1` an endpoint has its place as labels; zone and node stand among them. */
type BetaEndpoint = Omit<V1Endpoint, "deprecatedTopology" | "zone"> & {
  readonly topology?: Labels;
};

type Slice<E> = KubeObject & { readonly endpoints?: readonly E[] | null };

/** @spec k8s@1.24 pkg/apis/discovery/v1beta1/conversion.go */
export const olderEndpointSlices: readonly OlderVersion<V1EndpointSlice>[] = [
  {
    ...sameForm(hub, "v1beta1", "1.21", "1.25"),
    toHub: (object) => withEndpoints(object as Slice<BetaEndpoint>, hubEndpoint) as V1EndpointSlice,
    fromHub: (object) => withEndpoints(object as Slice<V1Endpoint>, betaEndpoint),
  },
];

function withEndpoints<A, B>(slice: Slice<A>, convert: (endpoint: A) => B): Slice<B> {
  const { endpoints } = slice;
  return endpoints ? { ...slice, endpoints: endpoints.map(convert) } : (slice as Slice<B>);
}

function hubEndpoint({ topology, ...endpoint }: BetaEndpoint): V1Endpoint {
  if (!topology) return endpoint;
  const { [ZONE]: zone, ...places } = topology;
  const isTwice = places[HOSTNAME] !== undefined && places[HOSTNAME] === endpoint.nodeName;
  const left = isTwice ? withField<Labels, string>(places, HOSTNAME, undefined) : places;
  return {
    ...endpoint,
    ...(zone !== undefined && { zone }),
    ...(Object.keys(left).length > 0 && { deprecatedTopology: left }),
  };
}

function betaEndpoint({ deprecatedTopology, zone, ...endpoint }: V1Endpoint): BetaEndpoint {
  const { nodeName } = endpoint;
  const topology = {
    ...deprecatedTopology,
    ...(nodeName !== undefined && { [HOSTNAME]: nodeName }),
    ...(zone !== undefined && { [ZONE]: zone }),
  };
  return { ...endpoint, ...(Object.keys(topology).length > 0 && { topology }) };
}
