import type { V1EndpointSlice, V1Service } from "../gen/types.ts";

/** What the zone knows of one Service. */
export interface ServiceEntry {
  readonly name: string;
  readonly namespace: string;
  /** "" for headless and ExternalName Services. */
  readonly clusterIp: string;
  readonly externalName: string;
  readonly publishesNotReady: boolean;
  readonly ports: readonly PortEntry[];
  /** Of headless Services. */
  readonly hosts: readonly HostEntry[];
}

export interface PortEntry {
  readonly name: string;
  /** `tcp`, `udp` or `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

/** One endpoint of a headless Service. */
export interface HostEntry {
  readonly address: string;
  /** The Pod's hostname where it has one, else its address with dashes. */
  readonly label: string;
  readonly ports: readonly PortEntry[];
}

/** Everything that answers are made from. Lookups are by lower-case names. */
export interface ZoneIndex {
  service(namespace: string, name: string): ServiceEntry | undefined;
  hasNamespace(namespace: string): boolean;
  /** Whose ClusterIP, or headless endpoint, an address is. */
  byAddress(
    address: string,
  ): readonly { readonly service: ServiceEntry; readonly host?: HostEntry }[];
}

/** Builds the index of all Services; one pass, used until one of them changes. */
export function buildZoneIndex(
  services: readonly V1Service[],
  slices: readonly V1EndpointSlice[],
): ZoneIndex {
  const slicesOf = new Map<string, V1EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata?.labels?.["kubernetes.io/service-name"];
    if (!name || slice.addressType !== "IPv4") continue;
    const key = `${slice.metadata?.namespace}/${name}`;
    const known = slicesOf.get(key);
    if (known) known.push(slice);
    else slicesOf.set(key, [slice]);
  }
  const entries = new Map<string, ServiceEntry>();
  const namespaces = new Set<string>();
  const addresses = new Map<string, { service: ServiceEntry; host?: HostEntry }[]>();
  const own = (address: string, service: ServiceEntry, host?: HostEntry): void => {
    const owner = host ? { service, host } : { service };
    addresses.set(address, [...(addresses.get(address) ?? []), owner]);
  };
  for (const service of services) {
    const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
    const entry = entryOf(service, slicesOf.get(key) ?? []);
    entries.set(key, entry);
    namespaces.add(entry.namespace);
    if (entry.clusterIp) own(entry.clusterIp, entry);
    for (const host of entry.hosts) own(host.address, entry, host);
  }
  return {
    service: (namespace, name) => entries.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaces.has(namespace),
    byAddress: (address) => addresses.get(address) ?? [],
  };
}

function entryOf(service: V1Service, slices: readonly V1EndpointSlice[]): ServiceEntry {
  const { spec = {}, metadata = {} } = service;
  const isExternal = spec.type === "ExternalName";
  const isHeadless = !isExternal && spec.clusterIP === "None";
  const publishesNotReady = spec.publishNotReadyAddresses ?? false;
  return {
    name: metadata.name ?? "",
    namespace: metadata.namespace ?? "",
    clusterIp: isHeadless || isExternal ? "" : (spec.clusterIP ?? ""),
    externalName: isExternal ? (spec.externalName ?? "").toLowerCase().replace(/\.$/, "") : "",
    publishesNotReady,
    ports: (spec.ports ?? []).map(({ name = "", protocol = "TCP", port }) => ({
      name,
      protocol: protocol.toLowerCase(),
      port,
    })),
    hosts: isHeadless ? slices.flatMap((slice) => hostsOf(slice, publishesNotReady)) : [],
  };
}

function hostsOf(slice: V1EndpointSlice, publishesNotReady: boolean): readonly HostEntry[] {
  const ports = (slice.ports ?? []).flatMap(({ name = "", protocol = "TCP", port }) =>
    port === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
  );
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => publishesNotReady || (conditions?.ready ?? true))
    .flatMap(({ addresses, hostname }) =>
      addresses.map((address) => ({
        address,
        label: hostname?.toLowerCase() || address.replaceAll(".", "-"),
        ports,
      })),
    );
}
