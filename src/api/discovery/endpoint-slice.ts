import type { V1EndpointSlice } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, formatSome, nameColumn, textColumn } from "../strategy/columns.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { fill, mapField, mapItems, plainStrategy, withGeneration } from "../strategy/strategy.ts";
import { validateEndpointSlice, validateEndpointSliceChange } from "./endpoint-slice-validation.ts";
import { olderEndpointSlices } from "./endpoint-slice-older.ts";

export type EndpointSlice = V1EndpointSlice;

export const EndpointSlice: Kind<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/discovery/endpointslice/strategy.go */
export const endpointSliceResource: Resource<EndpointSlice> = {
  kind: EndpointSlice,
  singular: "endpointslice",
  strategy: plainStrategy<EndpointSlice>({
    withDefaults,
    validate: validateEndpointSlice,
    validateChange: validateEndpointSliceChange,
    prepareForCreate: (slice) => withGeneration(slice, 1),
    prepareForUpdate: countedUp,
  }),
  olderVersions: olderEndpointSlices,
  columns: [
    nameColumn(),
    textColumn("AddressType", "Family of the addresses", (slice) => slice.addressType ?? ""),
    textColumn("Ports", "Ports of every endpoint", (slice) =>
      formatSome(
        (slice.ports ?? []).map(({ port, name }) => String(port ?? name ?? "*")),
        "<unset>",
      ),
    ),
    textColumn("Endpoints", "Addresses that serve", (slice) =>
      formatSome(
        (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
        "<unset>",
      ),
    ),
    ageColumn(),
  ],
};

/** Labels count here: proxies find the slices of a Service by them. */
function countedUp(slice: EndpointSlice, old: EndpointSlice): EndpointSlice {
  const content = ({ addressType, endpoints, ports, metadata }: EndpointSlice): unknown => [
    addressType,
    endpoints,
    ports,
    metadata?.labels,
  ];
  const stored = old.metadata?.generation ?? 0;
  return withGeneration(slice, equalSemantic(content(slice), content(old)) ? stored : stored + 1);
}

function withDefaults(slice: EndpointSlice): EndpointSlice {
  return mapField(slice, "ports", (ports) =>
    mapItems(ports, (port) => fill(port, { name: "", protocol: "TCP" })),
  );
}
