import type { V1Endpoints } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, formatSome, nameColumn, textColumn } from "../strategy/columns.ts";
import { fill, mapField, mapItems, plainStrategy } from "../strategy/strategy.ts";
import { validateEndpoints } from "./endpoints-validation.ts";

export type Endpoints = V1Endpoints;

export const Endpoints: Kind<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/endpoint/strategy.go */
export const endpointsResource: Resource<Endpoints> = {
  kind: Endpoints,
  singular: "endpoints",
  shortNames: ["ep"],
  strategy: plainStrategy<Endpoints>({
    withDefaults,
    validate: validateEndpoints,
    allowsCreateOnUpdate: true,
  }),
  lifecycle: {
    deprecated: "1.33",
    replacement: { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice" },
  },
  columns: [
    nameColumn(),
    textColumn("Endpoints", "Addresses and ports that serve", (object) =>
      formatSome(addressesOf(object), (object.subsets ?? []).length === 0 ? "<none>" : ""),
    ),
    ageColumn(),
  ],
};

function addressesOf(endpoints: Endpoints): string[] {
  return (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => formatHostPort(ip, port))),
  );
}

function formatHostPort(ip = "", port = 0): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function withDefaults(endpoints: Endpoints): Endpoints {
  return mapField(endpoints, "subsets", (subsets) =>
    mapItems(subsets, (subset) =>
      mapField(subset, "ports", (ports) =>
        mapItems(ports, (port) => fill(port, { protocol: "TCP" })),
      ),
    ),
  );
}
