import type { V1EndpointSlice, V1Pod, V1Service, V1ServicePort } from "../gen/types.ts";
import { selectEndpoints, type Endpoint, type Origin } from "./endpoints.ts";
import {
  emptyPlan,
  OUTSIDE_MARK,
  type ChainPlan,
  type MapName,
  type RulePlan,
} from "./rule-plan.ts";

/** All that a node's rules depend on. */
export interface ProxyObserved {
  readonly nodeName: string;
  /** The node's zone; "": it has none, or it is not known yet. */
  readonly zone: string;
  readonly services: readonly V1Service[];
  readonly slices: readonly V1EndpointSlice[];
  /** Pods of this node. */
  readonly pods: readonly V1Pod[];
  /** Addresses that something else on the node answers (the cluster DNS address): no rule for them. */
  readonly ownAddresses: ReadonlySet<string>;
}

/** How long a client keeps its endpoint, in seconds. @spec k8s@1.36 Service sessionAffinityConfig default: 3 hours */
const AFFINITY_SECONDS_DEFAULT = 10_800;

type Maps = Record<MapName, Map<string, string>>;

/**
 * Everything the node's table must hold.
 *
 * @spec k8s@1.36 pkg/proxy/nftables: which endpoints a frontend uses, when traffic is refused
 */
export function planRules(observed: ProxyObserved): RulePlan {
  const plan = emptyPlan();
  const maps = plan.maps as unknown as Maps;
  const chains = plan.chains as Map<string, ChainPlan>;
  const slicesOf = groupByService(observed.slices);
  for (const service of observed.services) {
    const clusterIp = service.spec?.clusterIP ?? "";
    if (!clusterIp || clusterIp === "None" || observed.ownAddresses.has(clusterIp)) continue;
    const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
    const slices = slicesOf.get(key) ?? [];
    for (const port of service.spec?.ports ?? [])
      planPort({ maps, chains, service, port, slices, origin: observed });
  }
  for (const pod of observed.pods) planHostPorts(maps, pod);
  return plan;
}

interface PortContext {
  readonly maps: Maps;
  readonly chains: Map<string, ChainPlan>;
  readonly service: V1Service;
  readonly port: V1ServicePort;
  readonly slices: readonly V1EndpointSlice[];
  readonly origin: Origin;
}

function planPort(context: PortContext): void {
  const { service, port, slices, origin, maps } = context;
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const spec = service.spec!;
  const all = selectEndpoints(slices, port, protocol, origin, false);
  const local = selectEndpoints(slices, port, protocol, origin, true);
  const inside = spec.internalTrafficPolicy === "Local" ? local : all;
  const outside = spec.externalTrafficPolicy === "Local" ? local : all;
  for (const { address } of [...all, ...local]) maps.hairpins.set(`${address} . ${address}`, "");
  frontend(context, `${spec.clusterIP} . ${protocol} . ${port.port}`, inside);
  for (const address of externalAddresses(service))
    frontend(context, `${address} . ${protocol} . ${port.port}`, outside);
  if (port.nodePort) nodePort(context, `${protocol} . ${port.nodePort}`, outside);
}

/** `key`: address . protocol . port. */
function frontend(context: PortContext, key: string, endpoints: readonly Endpoint[]): void {
  const { maps } = context;
  if (endpoints.length === 0) {
    maps.refused.set(key, "");
    return;
  }
  maps.services.set(key, `goto ${chooser(context, key, "service", endpoints)}`);
}

/** `key`: protocol . port. */
function nodePort(context: PortContext, key: string, endpoints: readonly Endpoint[]): void {
  const { maps, service } = context;
  if (endpoints.length === 0) {
    if (service.spec?.externalTrafficPolicy !== "Local") maps.refused_nodeports.set(key, "");
    return;
  }
  maps.nodeports.set(key, `goto ${chooser(context, key, "nodeport", endpoints)}`);
}

/** The chain that sends a packet to one of the endpoints; adds what that chain needs. */
function chooser(
  context: PortContext,
  key: string,
  kind: "service" | "nodeport",
  endpoints: readonly Endpoint[],
): string {
  const { maps, chains, service } = context;
  if (service.spec?.sessionAffinity === "ClientIP") {
    const name = `affine-${kind}-${key.replaceAll(" . ", "-")}`;
    const seconds =
      service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT;
    chains.set(name, affinityChain(name, kind, endpoints, seconds));
    return name;
  }
  const map = kind === "service" ? maps.endpoints : maps.nodeport_endpoints;
  endpoints.forEach(({ address, port }, index) => {
    map.set(`${index} . ${key}`, `${address} . ${port}`);
  });
  const name = `pick-${kind}-${endpoints.length}`;
  chains.set(name, { rules: [pickRule(kind, endpoints.length)], clientSets: new Map() });
  return name;
}

/** What precedes `dnat`: the protocols that have ports, and the mark of what comes from outside. */
const PREFIX = {
  service: "meta l4proto { tcp, udp }",
  nodeport: `meta l4proto { tcp, udp } ct mark set ${OUTSIDE_MARK}`,
} as const;

/**
 * One rule for all Services with as many endpoints: the endpoint itself is looked up by a random index.
 *
 * The index travels in the packet's mark, because nft 1.0.6 cannot add a rule that uses an existing map whose key was
 * declared by an expression, as an index without a mark would need.
 */
function pickRule(kind: "service" | "nodeport", count: number): string {
  const lookup =
    kind === "service"
      ? `meta mark . ip daddr . meta l4proto . th dport map @endpoints`
      : `meta mark . meta l4proto . th dport map @nodeport_endpoints`;
  return `meta mark set numgen random mod ${count} ${PREFIX[kind]} dnat ip to ${lookup}`;
}

/** First whoever has been here before, to where they were; then one at random, remembered. */
function affinityChain(
  name: string,
  kind: "service" | "nodeport",
  endpoints: readonly Endpoint[],
  seconds: number,
): ChainPlan {
  const setOf = ({ address, port }: Endpoint): string => `${name}-${address}-${port}`;
  const to = (endpoint: Endpoint): string =>
    `update @${setOf(endpoint)} { ip saddr } ${PREFIX[kind]} dnat to ${endpoint.address}:${endpoint.port}`;
  const known = endpoints.map((endpoint) => `ip saddr @${setOf(endpoint)} ${to(endpoint)}`);
  const fresh = endpoints.map((endpoint, index) => {
    const rest = endpoints.length - index;
    return rest === 1 ? to(endpoint) : `numgen random mod ${rest} 0 ${to(endpoint)}`;
  });
  return {
    rules: [...known, ...fresh],
    clientSets: new Map(endpoints.map((endpoint) => [setOf(endpoint), { seconds }])),
  };
}

function externalAddresses({ spec, status }: V1Service): readonly string[] {
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== "Proxy" ? [ip] : [],
  );
  return [...(spec?.externalIPs ?? []), ...balanced];
}

/** True for a Pod of which {@link planRules} makes rules. */
export function hasHostPorts({ spec }: V1Pod): boolean {
  if (spec?.hostNetwork) return false;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.some(({ ports = [] }) => ports.some(({ hostPort }) => hostPort));
}

function planHostPorts(maps: Maps, pod: V1Pod): void {
  const { podIP, phase } = pod.status ?? {};
  if (!podIP || pod.spec?.hostNetwork || phase === "Succeeded" || phase === "Failed") return;
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  for (const { ports = [] } of containers)
    for (const { hostPort, hostIP, containerPort, protocol = "TCP" } of ports) {
      if (!hostPort) continue;
      const key = `${protocol.toLowerCase()} . ${hostPort}`;
      const isAny = !hostIP || hostIP === "0.0.0.0";
      if (isAny) maps.hostports.set(key, `${podIP} . ${containerPort}`);
      else maps.hostports_at.set(`${hostIP} . ${key}`, `${podIP} . ${containerPort}`);
      maps.hairpins.set(`${podIP} . ${podIP}`, "");
    }
}

function groupByService(
  slices: readonly V1EndpointSlice[],
): ReadonlyMap<string, V1EndpointSlice[]> {
  const groups = new Map<string, V1EndpointSlice[]>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const name = slice.metadata?.labels?.["kubernetes.io/service-name"];
    if (!name) continue;
    const key = `${slice.metadata?.namespace}/${name}`;
    groups.set(key, [...(groups.get(key) ?? []), slice]);
  }
  return groups;
}
