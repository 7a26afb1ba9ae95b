import { firstBy } from "../../base/first-by.ts";
import type { V1Service, V1ServicePort, V1ServiceSpec } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { mapField, mapItems, withField } from "../strategy/strategy.ts";
import { isExternallyReachable } from "./service-defaults.ts";

/** `clusterIPs` of a new Service out of `clusterIP`. @spec k8s@1.36 pkg/registry/core/service NormalizeClusterIPs */
export function normalizedService(service: V1Service): V1Service {
  return mapField(service, "spec", (spec) =>
    spec.clusterIP && (spec.clusterIPs ?? []).length === 0
      ? { ...spec, clusterIPs: [spec.clusterIP] }
      : spec,
  );
}

/**
 * An update as its author meant it: what the server allocated stays where they left it out, and goes where the new type
 * has no use for it.
 *
 * @spec k8s@1.36 pkg/registry/core/service patchAllocatedValues, NormalizeClusterIPs, dropTypeDependentFields
 */
export function mergedService(service: V1Service, stored: V1Service): V1Service {
  const old = stored.spec ?? {};
  return mapField(service, "spec", (spec) =>
    withoutUseless(normalized(withAllocated(spec, old), old), old),
  );
}

function hasClusterIp({ type }: V1ServiceSpec): boolean {
  return type !== "ExternalName";
}

function hasNodePorts({ type, allocateLoadBalancerNodePorts }: V1ServiceSpec): boolean {
  return (
    type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false)
  );
}

/** Whether balancers ask a port of each node if it serves. */
export function hasHealthCheckPort({ type, externalTrafficPolicy }: V1ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

function withAllocated(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  const keepsIp = hasClusterIp(spec) && hasClusterIp(old) && !spec.clusterIP;
  const isUnset = (spec.clusterIPs ?? []).length === 0;
  const addressed = keepsIp && isUnset ? withAddresses(spec, old) : spec;
  const ported =
    hasNodePorts(spec) && hasNodePorts(old) ? withNodePortsOf(addressed, old) : addressed;
  return hasHealthCheckPort(spec) && hasHealthCheckPort(old) && !spec.healthCheckNodePort
    ? withField(ported, "healthCheckNodePort", old.healthCheckNodePort)
    : ported;
}

function withAddresses(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  return withField(withField(spec, "clusterIP", old.clusterIP), "clusterIPs", old.clusterIPs);
}

/** The same port and protocol keeps its node port, unless another port of the update asks for it. */
function withNodePortsOf(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  const taken = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort).filter(Boolean));
  const keyOf = ({ port, protocol }: V1ServicePort): string => `${port}/${protocol}`;
  const known = firstBy(old.ports, keyOf);
  return mapField(spec, "ports", (ports) =>
    mapItems(ports, (port) => {
      if (port.nodePort) return port;
      const before = known.get(keyOf(port));
      if (!before?.nodePort || taken.has(before.nodePort)) return port;
      taken.add(before.nodePort);
      return { ...port, nodePort: before.nodePort };
    }),
  );
}

/** Clients that know only one of `clusterIP` and `clusterIPs` change only that one. */
function normalized(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  const { clusterIP = "", clusterIPs = [] } = spec;
  const isListKept = equalSemantic(clusterIPs, old.clusterIPs);
  if (clusterIP !== (old.clusterIP ?? "")) {
    if (clusterIP === "")
      return isListKept || clusterIPs[0] === old.clusterIP
        ? withField(spec, "clusterIPs", undefined)
        : spec;
    return isListKept || clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec;
  }
  return clusterIP !== "" && clusterIPs.length === 0
    ? withField(spec, "clusterIPs", old.clusterIPs)
    : spec;
}

/** Fields that belonged to the old type, were left as they were, and mean nothing to the new one. */
function withoutUseless(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  const dropped: (keyof V1ServiceSpec)[] = [];
  const drop = (isOver: boolean, ...fields: (keyof V1ServiceSpec)[]): void => {
    if (isOver) dropped.push(...fields.filter((field) => equalSemantic(spec[field], old[field])));
  };
  const ends = (holds: (spec: V1ServiceSpec) => boolean): boolean => holds(old) && !holds(spec);
  drop(ends(hasClusterIp), "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy");
  drop(ends(hasClusterIp), "internalTrafficPolicy");
  drop(ends(hasHealthCheckPort), "healthCheckNodePort");
  drop(ends(isExternallyReachable), "externalTrafficPolicy");
  const isBalanced = ({ type }: V1ServiceSpec): boolean => type === "LoadBalancer";
  drop(ends(isBalanced), "allocateLoadBalancerNodePorts", "loadBalancerClass");
  const kept = dropped.reduce((result, field) => withField(result, field, undefined), spec);
  const isNodeless = old.type !== "ClusterIP" && hasNodePorts(old) && !hasNodePorts(spec);
  return isNodeless && hasSameNodePorts(spec, old) ? withoutNodePorts(kept) : kept;
}

function hasSameNodePorts(spec: V1ServiceSpec, old: V1ServiceSpec): boolean {
  const portsOf = ({ ports = [] }: V1ServiceSpec): number[] =>
    ports.map(({ nodePort }) => nodePort ?? 0).sort((a, b) => a - b);
  return equalSemantic(portsOf(spec), portsOf(old));
}

function withoutNodePorts(spec: V1ServiceSpec): V1ServiceSpec {
  return mapField(spec, "ports", (ports) =>
    mapItems(ports, (port) => withField(port, "nodePort", undefined)),
  );
}
