import { keyOf } from "../../api/machinery/object.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import { Service } from "../../api/core/service.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { CacheReader } from "../../client/cache.ts";
import {
  defineController,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
} from "../../reconciler/controller.ts";
import { equalJson, equalStored } from "../../api/machinery/equality.ts";
import { controllerReference, isBeingDeleted, ownersOf } from "../../reconciler/ownership.ts";
import { isPodReady, isPodTerminal } from "../../reconciler/pod-state.ts";
import {
  addressesOf,
  familyOf,
  hasNoSelector,
  hostnameFor,
  isHeadless,
  podsOfService,
  servicesOfPods,
  targetPortOf,
} from "../../reconciler/service-pods.ts";
import { fillSlices, type Endpoint } from "../../reconciler/fill-slices.ts";
import { triggerTimeOf, withTriggerTime } from "../../reconciler/trigger-time.ts";
import { isTopologyAuto, trafficDistributionOf, withHints } from "./hints.ts";
import { ENDPOINTS_MAX, MANAGED_LABEL, MANAGER, SERVICE_LABEL } from "./slice-labels.ts";
import { sliceMeter } from "./slice-metrics.ts";
import { shareOf, zoneShares, type ZoneShares } from "./zone-shares.ts";

const HEADLESS_LABEL = "service.kubernetes.io/headless";
const ZONE_LABEL = "topology.kubernetes.io/zone";
/** @spec name rule of generated names: the prefix and its dash must leave room for five characters */
const PREFIX_LENGTH_MAX = 252;

type Port = NonNullable<EndpointSlice["ports"]>[number];
type Family = "IPv4" | "IPv6";

/**
 * `zones`: of the Pods' nodes that exist, by node name. `slices`: controlled by the Service. `shares`: where hints go by the size of
 * zones.
 */
export interface Observed {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly zones: ReadonlyMap<string, string | undefined>;
  readonly slices: readonly EndpointSlice[];
  readonly shares?: ZoneShares | undefined;
}

/**
 * Keeps the EndpointSlices of each Service with a selector: for each address family and set of ports, slices of at most
 * ENDPOINTS_MAX endpoints; an empty one when there is none.
 *
 * @invariant an endpoint is in one slice of its family; unchanged slices are not written.
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice reconciler.go
 */
export const endpointSliceController = defineController<Service, Observed>({
  name: "endpointslice-controller",
  eventSource: "endpoint-slice-controller",
  meter: sliceMeter,
  primary: Service,
  triggers: [
    servicesOfPods,
    ownersOf(EndpointSlice, Service),
    {
      kind: Node,
      keys: ({ old, object, key }, cache) =>
        isMoved(old, object) ? servicesOn(cache, key.name) : [],
    },
    {
      kind: Node,
      keys: ({ old, object }, cache) =>
        equalJson(shareOf(old), shareOf(object))
          ? []
          : cache.list(Service, { where: isTopologyAuto }).map(keyOf),
    },
  ],
  observe(cache, key) {
    const service = cache.get(Service, key);
    const uid = service?.metadata?.uid;
    if (!service || uid === undefined || hasNoSelector(service)) return undefined;
    const pods = podsOfService(cache, service);
    const names = new Set(pods.map((pod) => pod.spec?.nodeName ?? ""));
    const nodes = [...names].map((name) => cache.get(Node, { namespace: "", name }));
    const zones = new Map(
      nodes.flatMap((node) =>
        node ? [[node.metadata?.name ?? "", node.metadata?.labels?.[ZONE_LABEL]] as const] : [],
      ),
    );
    const slices = cache.list(EndpointSlice, { namespace: key.namespace, controllerUid: uid });
    const shares = isTopologyAuto(service) ? zoneShares(cache.list(Node)) : undefined;
    return { service, pods, zones, slices, shares };
  },
  plan,
});

/** A node that came, or whose zone changed. */
function isMoved(old: Node | undefined, node: Node | undefined): boolean {
  if (!node) return false;
  return !old || old.metadata?.labels?.[ZONE_LABEL] !== node.metadata?.labels?.[ZONE_LABEL];
}

function servicesOn(cache: CacheReader, nodeName: string) {
  const pods = cache.list(Pod, { where: ({ spec }) => spec?.nodeName === nodeName });
  return pods.flatMap((pod) =>
    servicesOfPods.keys({ kind: Pod, key: keyOf(pod), old: undefined, object: pod }, cache),
  );
}

/** Pure; see {@link endpointSliceController}. */
export function plan(observed: Observed): Plan {
  const { service, slices } = observed;
  const families = familiesOf(service);
  const isOurs = (slice: EndpointSlice): boolean =>
    slice.metadata?.labels?.[MANAGED_LABEL] === MANAGER && !isBeingDeleted(slice);
  const own = slices.filter(isOurs);
  const strange = own.filter((slice) => !families.includes(slice.addressType as Family));
  const planned = families.map((family) =>
    planFamily(
      observed,
      family,
      own.filter((slice) => slice.addressType === family),
    ),
  );
  const { namespace, name } = keyOf(service);
  const changes = planned.flatMap(({ writes }) => writes);
  const all = [...timed(observed, own, families, changes), ...strange.map(removal)];
  const prefix = `Error updating Endpoint Slices for Service ${namespace}/${name}: `;
  return {
    writes: all,
    events: [
      ...planned.flatMap(({ events }) => events),
      ...all.map((write, afterWrite): PlannedEvent => ({
        type: "Warning",
        reason: "FailedToUpdateEndpointSlices",
        message: `${prefix}${failureText(write, namespace, name)}: {error}`,
        afterWrite,
        onFailure: true,
      })),
    ],
  };
}

/** The same writes, with the time of what they are about. */
function timed(
  observed: Observed,
  slices: readonly EndpointSlice[],
  families: readonly Family[],
  writes: readonly PlannedWrite[],
): readonly PlannedWrite[] {
  if (writes.length === 0) return writes;
  const shown = new Map(
    slices.flatMap(({ endpoints = [] }) =>
      endpoints.map(({ targetRef, conditions }) => [targetRef?.uid ?? "", conditions?.serving]),
    ),
  );
  const changed = observed.pods.filter(
    (pod) =>
      shown.get(pod.metadata?.uid ?? "") !== isPodReady(pod) &&
      families.some((family) => endpointOf(observed, pod, family)),
  );
  const time = triggerTimeOf(observed.service, slices.length === 0, changed);
  return writes.map((write) => {
    if (write.verb !== "create" && write.verb !== "update") return write;
    const { annotations, ...metadata } = write.object.metadata ?? {};
    const all = withTriggerTime(annotations, time);
    const object = { ...write.object, metadata: { ...metadata, ...(all && { annotations: all }) } };
    return { ...write, object };
  });
}

function failureText(write: PlannedWrite, namespace: string, service: string): string {
  const of = `for Service ${namespace}/${service}`;
  if (write.verb === "create") return `failed to create EndpointSlice ${of}`;
  const name = "key" in write ? write.key.name : (write.object.metadata?.name ?? "");
  return `failed to ${write.verb} ${name} EndpointSlice ${of}`;
}

/** Families of the Service; one that says none (never after defaulting) counts as IPv4. */
function familiesOf(service: Service): readonly Family[] {
  const families = (service.spec?.ipFamilies ?? []) as readonly Family[];
  return families.length ? families : ["IPv4"];
}

interface Group {
  readonly ports: readonly Port[];
  readonly endpoints: Endpoint[];
  readonly slices: EndpointSlice[];
}

function planFamily(
  observed: Observed,
  family: Family,
  slices: readonly EndpointSlice[],
): { readonly writes: readonly PlannedWrite[]; readonly events: readonly PlannedEvent[] } {
  const groups = groupByPorts(observed, family, slices);
  const known = slices.flatMap(({ endpoints }) => endpoints ?? []);
  const wanted = groups.flatMap(({ endpoints }) => endpoints);
  const { endpoints, problem } = withHints(observed.service, wanted, known, observed.shares);
  let from = 0;
  const hinted = groups.map((group) => {
    const to = from + group.endpoints.length;
    const own = { ...group, endpoints: endpoints.slice(from, to) };
    from = to;
    return own;
  });
  return {
    writes: fillFamily(observed, family, slices, hinted),
    events: hintEvents(observed.service, family, known, problem),
  };
}

/** What is told of hints by the size of zones. @spec k8s@1.36 topologycache event.go */
function hintEvents(
  service: Service,
  family: Family,
  known: readonly Endpoint[],
  problem: string | undefined,
): readonly PlannedEvent[] {
  const hadHints = known.some(({ hints }) => hints !== undefined);
  const event = (type: PlannedEvent["type"], state: string, message: string): PlannedEvent[] => [
    { type, reason: `TopologyAwareHints${state}`, message: `${message}, addressType: ${family}` },
  ];
  if (problem !== undefined) return event("Warning", "Disabled", problem);
  const turned = (state: string): string => `Topology Aware Hints has been ${state}`;
  if (isTopologyAuto(service)) return hadHints ? [] : event("Normal", "Enabled", turned("enabled"));
  const isOver = hadHints && trafficDistributionOf(service) === undefined;
  return isOver ? event("Warning", "Disabled", turned("disabled")) : [];
}

function fillFamily(
  { service }: Observed,
  family: Family,
  slices: readonly EndpointSlice[],
  groups: readonly Group[],
): PlannedWrite[] {
  const labels = labelsOf(service);
  const isChanged = (slice: EndpointSlice): boolean => !equalStored(slice.metadata?.labels, labels);
  const updates: EndpointSlice[] = [];
  const fresh: { ports: readonly Port[]; endpoints: readonly Endpoint[] }[] = [];
  const spare: EndpointSlice[] = [];
  for (const group of groups) {
    if (group.endpoints.length === 0) {
      spare.push(...group.slices);
      continue;
    }
    const filled = fillSlices(group.slices, group.endpoints, ENDPOINTS_MAX, isChanged);
    for (const [slice, endpoints] of filled.updated)
      updates.push(rewrite(slice, labels, { ports: group.ports, endpoints }));
    for (const endpoints of filled.fresh) fresh.push({ ports: group.ports, endpoints });
    spare.push(...filled.emptied);
  }
  if (fresh.length === 0 && spare.length === slices.length) {
    const [only] = spare;
    const isPlaceholder = spare.length === 1 && only && isEmpty(only) && !isChanged(only);
    if (isPlaceholder) return [];
    fresh.push({ ports: [], endpoints: [] });
  }
  // A slice that would go and one that would come are one update.
  while (fresh.length > 0 && spare.length > 0)
    updates.push(rewrite(spare.shift()!, labels, fresh.pop()!));
  const creates = isBeingDeleted(service)
    ? []
    : fresh.map((content) => creation(service, family, labels, content));
  return [
    ...creates,
    ...updates.map((object): PlannedWrite => ({ verb: "update", kind: EndpointSlice, object })),
    ...spare.map(removal),
  ];
}

function isEmpty({ endpoints, ports }: EndpointSlice): boolean {
  return (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
}

function rewrite(
  slice: EndpointSlice,
  labels: Readonly<Record<string, string>>,
  {
    ports,
    endpoints,
  }: { readonly ports: readonly Port[]; readonly endpoints: readonly Endpoint[] },
): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels }, ports, endpoints };
}

function creation(
  service: Service,
  family: Family,
  labels: Readonly<Record<string, string>>,
  {
    ports,
    endpoints,
  }: { readonly ports: readonly Port[]; readonly endpoints: readonly Endpoint[] },
): PlannedWrite {
  const { namespace, name } = keyOf(service);
  const object: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: name.length < PREFIX_LENGTH_MAX ? `${name}-` : name,
      namespace,
      labels,
      ownerReferences: [controllerReference(Service, service)],
    },
    addressType: family,
    endpoints,
    ports,
  };
  return { verb: "create", kind: EndpointSlice, object };
}

function removal(slice: EndpointSlice): PlannedWrite {
  return {
    verb: "delete",
    kind: EndpointSlice,
    key: keyOf(slice),
    ifUid: slice.metadata?.uid ?? "",
  };
}

function groupByPorts(
  observed: Observed,
  family: Family,
  slices: readonly EndpointSlice[],
): readonly Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (ports: readonly Port[]): Group => {
    const ordered = [...ports].sort((a, b) => (portKey(a) < portKey(b) ? -1 : 1));
    const key = ordered.map(portKey).join("\n");
    const group = groups.get(key) ?? { ports: ordered, endpoints: [], slices: [] };
    groups.set(key, group);
    return group;
  };
  for (const slice of slices) groupOf(slice.ports ?? []).slices.push(slice);
  for (const pod of observed.pods) {
    const endpoint = endpointOf(observed, pod, family);
    if (endpoint) groupOf(portsOf(observed.service, pod)).endpoints.push(endpoint);
  }
  return [...groups.values()];
}

function portKey({ name = "", port, protocol = "TCP", appProtocol = "" }: Port): string {
  return JSON.stringify([name, port, protocol, appProtocol]);
}

/** The ports of the Service as this Pod has them; one that it does not declare is left out. */
function portsOf(service: Service, pod: Pod): readonly Port[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol && { appProtocol }) }];
  });
}

/** @spec k8s@1.36 staging/src/k8s.io/endpointslice/utils.go podToEndpoint, ShouldPodBeInEndpoints */
function endpointOf({ service, zones }: Observed, pod: Pod, family: Family): Endpoint | undefined {
  const addresses = addressesOf(pod).filter((address) => familyOf(address) === family);
  if (addresses.length === 0 || isPodTerminal(pod)) return undefined;
  const isPublished = service.spec?.publishNotReadyAddresses ?? false;
  const nodeName = pod.spec?.nodeName ?? "";
  // A Pod of a node that is gone is about to go, too.
  if (nodeName !== "" && !zones.has(nodeName) && !isPublished) return undefined;
  const serving = isPodReady(pod);
  const terminating = isBeingDeleted(pod);
  const zone = zones.get(nodeName);
  const hostname = hostnameFor(pod, service);
  const { namespace, name } = keyOf(pod);
  return {
    addresses,
    conditions: { ready: isPublished || (serving && !terminating), serving, terminating },
    ...(hostname && { hostname }),
    targetRef: { kind: "Pod", namespace, name, uid: pod.metadata?.uid ?? "" },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
  };
}

/** The Service's labels, and our own in place of any of the same name. @spec setEndpointSliceLabels */
function labelsOf(service: Service): Readonly<Record<string, string>> {
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata?.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }),
    [SERVICE_LABEL]: service.metadata?.name ?? "",
    [MANAGED_LABEL]: MANAGER,
  };
}
