import type { Endpoints } from "../../api/core/endpoints.ts";

export type Subset = NonNullable<Endpoints["subsets"]>[number];
export type Address = NonNullable<Subset["addresses"]>[number];
export type Port = NonNullable<Subset["ports"]>[number];

/** One address on one port (`undefined`: a headless Service without ports). */
export interface Entry {
  readonly address: Address;
  readonly port: Port | undefined;
  readonly isReady: boolean;
}

/**
 * The smallest subsets that say the same: ports with the same addresses share one; not ready trumps ready.
 *
 * Order is by content, so that the same entries give the same text.
 * @spec k8s@1.36 pkg/api/v1/endpoints RepackSubsets
 */
export function packSubsets(entries: readonly Entry[]): readonly Subset[] {
  const byPort = new Map<string, { port: Port | undefined; addresses: Map<string, Entry> }>();
  for (const entry of entries) {
    const portKey = JSON.stringify(entry.port ?? null);
    const group = byPort.get(portKey) ?? { port: entry.port, addresses: new Map() };
    byPort.set(portKey, group);
    const key = `${entry.address.ip} ${entry.address.targetRef?.uid ?? ""}`;
    if (group.addresses.get(key)?.isReady !== false) group.addresses.set(key, entry);
  }
  const byAddresses = new Map<string, { ports: Port[]; entries: Entry[] }>();
  for (const { port, addresses } of byPort.values()) {
    const ordered = [...addresses].sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify(ordered.map(([address, { isReady }]) => [address, isReady]));
    const group = byAddresses.get(key) ?? { ports: [], entries: ordered.map(([, entry]) => entry) };
    byAddresses.set(key, group);
    if (port) group.ports.push(port);
  }
  return [...byAddresses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group));
}

function subsetOf({ ports, entries }: { ports: Port[]; entries: Entry[] }): Subset {
  const ready = entries.filter((entry) => entry.isReady).map((entry) => entry.address);
  const notReady = entries.filter((entry) => !entry.isReady).map((entry) => entry.address);
  const nameOf = ({ name = "", port, protocol = "" }: Port): string =>
    `${name} ${port} ${protocol}`;
  ports.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return {
    ...(ready.length && { addresses: ready }),
    ...(notReady.length && { notReadyAddresses: notReady }),
    ...(ports.length && { ports }),
  };
}
