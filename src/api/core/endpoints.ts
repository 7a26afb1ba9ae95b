import type { V1Endpoints } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, formatFirst, nameColumn, SHOWN_MAX, textColumn } from "../strategy/columns.ts";
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
      addressesText(object, (object.subsets ?? []).length === 0 ? "<none>" : ""),
    ),
    ageColumn(),
  ],
};

/** The first addresses with ports, and how many more there are: not all of them are made, for those are products. */
function addressesText({ subsets = [] }: Endpoints, whenEmpty: string): string {
  const first: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    count += addresses.length * Math.max(ports.length, 1);
    if (first.length >= SHOWN_MAX) continue;
    const some = addresses.slice(0, SHOWN_MAX);
    if (ports.length === 0) first.push(...some.map(({ ip }) => ip));
    for (const { port } of ports.slice(0, SHOWN_MAX))
      first.push(...some.map(({ ip }) => formatHostPort(ip, port)));
  }
  return formatFirst(first, count, whenEmpty);
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
