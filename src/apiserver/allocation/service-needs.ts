import { firstBy } from "../../base/first-by.ts";
import type { V1Service, V1ServicePort } from "../../gen/types.ts";

type Spec = NonNullable<V1Service["spec"]>;

/** The Service has addresses of its own, or is headless by choice. @spec service/storage needsClusterIP */
export function needsClusterIp(spec: Spec): boolean {
  return spec.type !== "ExternalName";
}

/** The Service gets an address of the range. */
export function hasClusterIp(spec: Spec): boolean {
  return needsClusterIp(spec) && spec.clusterIP !== "None" && spec.clusterIPs?.[0] !== "None";
}

/** @spec service/storage shouldAllocateNodePorts */
export function needsNodePorts(spec: Spec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

/** @spec pkg/api/service NeedsHealthCheck */
export function needsHealthPort(spec: Spec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/**
 * The wanted spec with the values that the server gave before, where the client left them out; without those that the
 * wanted type no longer has.
 *
 * @spec k8s@1.36 pkg/registry/core/service/storage patchAllocatedValues; service/strategy dropTypeDependentFields
 */
export function carryAllocated(wanted: Spec, before: Spec): Spec {
  let spec = wanted;
  if (needsClusterIp(spec) && needsClusterIp(before)) {
    const clusterIP = spec.clusterIP || spec.clusterIPs?.[0] || before.clusterIP;
    const isSame = clusterIP === before.clusterIP && !spec.clusterIPs?.length;
    spec = {
      ...spec,
      ...(clusterIP !== undefined && { clusterIP }),
      ...(isSame && before.clusterIPs && { clusterIPs: before.clusterIPs }),
    };
  } else if (!needsClusterIp(spec) && needsClusterIp(before)) spec = withoutAddresses(spec, before);
  if (needsNodePorts(spec) && needsNodePorts(before)) spec = carryPorts(spec, before);
  else if (!needsNodePorts(spec) && needsNodePorts(before)) spec = dropPorts(spec, before);
  if (needsHealthPort(spec) && needsHealthPort(before) && !spec.healthCheckNodePort)
    return { ...spec, healthCheckNodePort: before.healthCheckNodePort! };
  return spec;
}

function withoutAddresses(spec: Spec, before: Spec): Spec {
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, ...rest } = spec;
  void ipFamilies;
  void ipFamilyPolicy;
  const isOwn = clusterIP !== undefined && clusterIP !== before.clusterIP;
  return isOwn ? { ...rest, clusterIP, ...(clusterIPs && { clusterIPs }) } : rest;
}

/** A port without a node port gets that of the same port and protocol before. */
function carryPorts(spec: Spec, before: Spec): Spec {
  const used = new Set(spec.ports?.map((port) => port.nodePort));
  const keyOf = ({ port, protocol }: V1ServicePort): string => `${port}/${protocol}`;
  const known = firstBy(before.ports, keyOf);
  const carry = (port: V1ServicePort): V1ServicePort => {
    if (port.nodePort) return port;
    const same = known.get(keyOf(port));
    if (!same?.nodePort || used.has(same.nodePort)) return port;
    used.add(same.nodePort);
    return { ...port, nodePort: same.nodePort };
  };
  return spec.ports ? { ...spec, ports: spec.ports.map(carry) } : spec;
}

/** Node ports that are the old ones go with the old type; others are the client's mistake, for validation to name. */
function dropPorts(spec: Spec, before: Spec): Spec {
  const old = new Set(before.ports?.map((port) => port.nodePort));
  const drop = (port: V1ServicePort): V1ServicePort => {
    if (!port.nodePort || !old.has(port.nodePort)) return port;
    const { nodePort, ...rest } = port;
    void nodePort;
    return rest;
  };
  return spec.ports ? { ...spec, ports: spec.ports.map(drop) } : spec;
}
