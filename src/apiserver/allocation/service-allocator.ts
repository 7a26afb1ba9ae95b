import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { internalError, invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { assert } from "../../base/assert.ts";
import type { Random } from "../../base/random.ts";
import type { V1Service, V1ServicePort } from "../../gen/types.ts";
import { KEYS_END } from "../registry/keys.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import { formatAddress, parseAddress, parseRange, type AddressRange } from "./address-range.ts";
import type { Allocator, Reservation } from "./allocator.ts";
import { carryAllocated, hasClusterIp, needsHealthPort, needsNodePorts } from "./service-needs.ts";
import { withFamilies } from "./service-families.ts";
import { ValuePool } from "./value-pool.ts";

export interface ServiceRanges {
  /** `10.96.0.0/16` */
  readonly serviceCidr: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

type Spec = NonNullable<V1Service["spec"]>;

/**
 * Gives Services their cluster address and node ports.
 *
 * Follows the cache, so it needs no state of its own: what a Service in the cache has is taken, and free again when it is gone.
 * @spec k8s@1.36 pkg/registry/core/service/storage/alloc.go; ipallocator; portallocator
 */
export class ServiceAllocator implements Allocator {
  readonly #range: AddressRange;
  readonly #addresses: ValuePool;
  readonly #ports: ValuePool;

  constructor(ranges: ServiceRanges, services: ResourceCache, random: Random) {
    const range = parseRange(ranges.serviceCidr);
    assert(range && range.size >= 8, `no usable service range: ${ranges.serviceCidr}`);
    this.#range = range;
    // Neither the network's own nor the broadcast address; the numbers are upstream's.
    const usable = range.size - 2;
    const low = Math.min(Math.max(16, Math.floor(usable / 16)), 256);
    this.#addresses = new ValuePool(
      range.base + 1,
      range.base + usable,
      usable > 2 * low ? low : 0,
      random,
    );
    const { first, last } = ranges.nodePorts;
    const lowPorts = Math.min(Math.max(16, Math.floor((last - first + 1) / 32)), 128);
    this.#ports = new ValuePool(first, last, last - first > 2 * lowPorts ? lowPorts : 0, random);
    this.#follow(services);
  }

  /** The address of the `kubernetes` Service: the first of the range. */
  get firstAddress(): string {
    return formatAddress(this.#addresses.first);
  }

  begin(object: KubeObject, old: KubeObject | undefined): Reservation {
    const before = (old as V1Service | undefined)?.spec;
    const service = object as V1Service;
    const carried = before ? carryAllocated(service.spec ?? {}, before) : (service.spec ?? {});
    const claim = new Claim(
      this.#addresses,
      this.#ports,
      this.#range,
      service.metadata?.name ?? "",
    );
    try {
      const spec = claim.fill(withFamilies(carried, before, service.metadata?.name ?? ""), before);
      return {
        object: { ...service, spec } as KubeObject,
        confirm: () => {},
        release: () => claim.release(),
      };
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  #follow(services: ResourceCache): void {
    for (const { object } of services.versions.slice("", KEYS_END, Infinity))
      this.#count((object as V1Service).spec, "hold");
    services.addFirst(({ old, version }) => {
      if (old) this.#count((old.object as V1Service).spec, "letGo");
      if (version) this.#count((version.object as V1Service).spec, "hold");
    });
  }

  #count(spec: Spec | undefined, change: "hold" | "letGo"): void {
    if (!spec) return;
    for (const text of spec.clusterIPs ?? []) {
      const address = parseAddress(text);
      if (address !== undefined) this.#addresses[change](address);
    }
    for (const port of portsOf(spec)) this.#ports[change](port);
  }
}

/** Values reserved for one write. */
class Claim {
  readonly #addresses: ValuePool;
  readonly #ports: ValuePool;
  readonly #range: AddressRange;
  readonly #name: string;
  readonly #ownAddresses: number[] = [];
  readonly #ownPorts: number[] = [];

  constructor(addresses: ValuePool, ports: ValuePool, range: AddressRange, name: string) {
    this.#addresses = addresses;
    this.#ports = ports;
    this.#range = range;
    this.#name = name;
  }

  fill(spec: Spec, before: Spec | undefined): Spec {
    return this.#withPorts(this.#withAddress(spec, before), before);
  }

  release(): void {
    for (const address of this.#ownAddresses.splice(0)) this.#addresses.unreserve(address);
    for (const port of this.#ownPorts.splice(0)) this.#ports.unreserve(port);
  }

  #withAddress(spec: Spec, before: Spec | undefined): Spec {
    if (!hasClusterIp(spec)) return spec;
    const wanted = spec.clusterIP || spec.clusterIPs?.[0] || "";
    if (wanted === "") {
      const address = this.#addresses.reserveAny();
      if (address === undefined)
        throw internalError("failed to allocate a serviceIP: range is full");
      this.#ownAddresses.push(address);
      const text = formatAddress(address);
      return { ...spec, clusterIP: text, clusterIPs: [text] };
    }
    const filled = { ...spec, clusterIP: wanted, clusterIPs: spec.clusterIPs ?? [wanted] };
    if (wanted !== before?.clusterIP) this.#reserveAddress(wanted, filled.clusterIPs);
    return filled;
  }

  #reserveAddress(text: string, all: readonly string[]): void {
    const address = parseAddress(text);
    // What is no address is refused by validation, with better words.
    if (address === undefined) return;
    const why = !this.#addresses.contains(address)
      ? `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${this.#range.text}`
      : this.#addresses.reserve(address)
        ? undefined
        : "provided IP is already allocated";
    if (why === undefined) return void this.#ownAddresses.push(address);
    throw this.#refusal(invalid("spec.clusterIPs", all, `failed to allocate IP ${text}: ${why}`));
  }

  #withPorts(spec: Spec, before: Spec | undefined): Spec {
    const had = new Set(before ? portsOf(before) : []);
    const given = new Map<number, Set<string>>();
    const ports = needsNodePorts(spec)
      ? spec.ports?.map((port, at) => this.#withPort(port, at, had, given))
      : spec.ports;
    const filled: Spec = ports ? { ...spec, ports } : spec;
    if (!needsHealthPort(spec)) return filled;
    const asked = spec.healthCheckNodePort ?? 0;
    const health =
      asked === 0
        ? this.#anyPort()
        : had.has(asked)
          ? asked
          : this.#reservePort("spec.healthCheckNodePort", asked);
    return { ...filled, healthCheckNodePort: health };
  }

  /** One number may serve TCP and UDP of the same Service. */
  #withPort(
    port: V1ServicePort,
    at: number,
    had: ReadonlySet<number>,
    given: Map<number, Set<string>>,
  ): V1ServicePort {
    const protocol = port.protocol ?? "TCP";
    const field = `spec.ports[${at}].nodePort`;
    let nodePort = port.nodePort ?? 0;
    if (nodePort === 0) nodePort = this.#anyPort();
    else if (given.get(nodePort)?.has(protocol))
      throw this.#refusal(invalid(field, nodePort, "provided port is already allocated"));
    else if (!given.has(nodePort) && !had.has(nodePort)) this.#reservePort(field, nodePort);
    given.set(nodePort, (given.get(nodePort) ?? new Set<string>()).add(protocol));
    return { ...port, nodePort };
  }

  #anyPort(): number {
    const port = this.#ports.reserveAny();
    if (port === undefined) throw internalError("failed to allocate a nodePort: range is full");
    this.#ownPorts.push(port);
    return port;
  }

  #reservePort(field: string, port: number): number {
    const { first, last } = this.#ports;
    if (!this.#ports.contains(port)) {
      const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
      throw this.#refusal(invalid(field, port, why));
    }
    if (!this.#ports.reserve(port))
      throw this.#refusal(invalid(field, port, "provided port is already allocated"));
    this.#ownPorts.push(port);
    return port;
  }

  #refusal(error: FieldError): Error {
    return invalidObject({ group: "", kind: "Service", name: this.#name, errors: [error] });
  }
}

function portsOf(spec: Spec): Set<number> {
  const ports = new Set<number>();
  for (const { nodePort } of spec.ports ?? []) if (nodePort) ports.add(nodePort);
  if (spec.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  return ports;
}
