import { keyOf } from "../../api/machinery/object.ts";
import { Endpoints } from "../../api/core/endpoints.ts";
import { Service } from "../../api/core/service.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { defineController, type Plan, type PlannedWrite } from "../../reconciler/controller.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import { fillSlices, type Endpoint } from "../../reconciler/fill-slices.ts";
import {
  controllerReference,
  isBeingDeleted,
  ownersOf,
  sameKeyOf,
} from "../../reconciler/ownership.ts";
import { familyOf } from "../../reconciler/service-pods.ts";

const SERVICE_LABEL = "kubernetes.io/service-name";
const MANAGED_LABEL = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslicemirroring-controller.k8s.io";
const SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror";
const LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";
/** Annotations that are about the Endpoints object itself. @spec endpointslicemirroring utils.go cloneAndRemoveKeys */
const OWN_ANNOTATIONS = new Set([
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
]);
/** @spec --mirroring-max-endpoints-per-subset. Doubling doubles what one hand-written object puts on every node. */
const ENDPOINTS_MAX = 1000;

type Subset = NonNullable<Endpoints["subsets"]>[number];
type Address = NonNullable<Subset["addresses"]>[number];
type Port = NonNullable<EndpointSlice["ports"]>[number];

/** `slices`: controlled by the Endpoints. */
export interface Observed {
  readonly endpoints: Endpoints;
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

/**
 * Mirrors hand-made Endpoints of Services without a selector into EndpointSlices, which is what proxies read.
 *
 * @spec k8s@1.36 pkg/controller/endpointslicemirroring
 */
export const endpointSliceMirroringController = defineController<Endpoints, Observed>({
  name: "endpointslice-mirroring-controller",
  eventSource: "endpoint-slice-mirroring-controller",
  primary: Endpoints,
  triggers: [sameKeyOf(Service), ownersOf(EndpointSlice, Endpoints)],
  observe(cache, key) {
    const endpoints = cache.get(Endpoints, key);
    const uid = endpoints?.metadata?.uid;
    if (!endpoints || uid === undefined) return undefined; // Its slices are the garbage collector's.
    const service = cache.get(Service, key);
    const slices = cache.list(EndpointSlice, { namespace: key.namespace, controllerUid: uid });
    return { endpoints, service, slices };
  },
  plan,
});

/** Pure; see {@link endpointSliceMirroringController}. */
export function plan({ endpoints, service, slices }: Observed): Plan {
  const own = slices.filter(
    (slice) => slice.metadata?.labels?.[MANAGED_LABEL] === MANAGER && !isBeingDeleted(slice),
  );
  if (!isMirrored(endpoints, service)) return { writes: own.map(removal) };
  if (isBeingDeleted(endpoints)) return {};
  return { writes: groupsOf(endpoints, own).flatMap((group) => planGroup(endpoints, group)) };
}

/** @spec skipMirror; a Service with a selector has slices of its own */
function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  if (metadata?.labels?.[SKIP_LABEL] === "true") return false;
  if (metadata?.annotations && LEADER_ANNOTATION in metadata.annotations) return false;
  return service !== undefined && service.spec?.selector === undefined && !isBeingDeleted(service);
}

interface Group {
  readonly family: "IPv4" | "IPv6";
  readonly ports: readonly Port[];
  readonly endpoints: Endpoint[];
  readonly slices: EndpointSlice[];
}

/** By family and ports: what is wanted, and what there is. */
function groupsOf(endpoints: Endpoints, slices: readonly EndpointSlice[]): readonly Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (family: Group["family"], ports: readonly Port[]): Group => {
    const key = JSON.stringify([family, ports.map(portKey).sort()]);
    const group = groups.get(key) ?? { family, ports, endpoints: [], slices: [] };
    groups.set(key, group);
    return group;
  };
  for (const slice of slices) {
    groupOf(slice.addressType as Group["family"], slice.ports ?? []).slices.push(slice);
  }
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map(portOf);
    const all = [
      ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
    ];
    for (const endpoint of all.slice(0, ENDPOINTS_MAX)) {
      groupOf(familyOf(endpoint.addresses[0]!), ports).endpoints.push(endpoint);
    }
  }
  return [...groups.values()];
}

function planGroup(endpoints: Endpoints, group: Group): PlannedWrite[] {
  const { labels, annotations } = metadataOf(endpoints);
  if (group.endpoints.length === 0) return group.slices.map(removal);
  const isChanged = ({ metadata }: EndpointSlice): boolean =>
    !equalStored(metadata?.labels, labels) ||
    !equalStored(metadata?.annotations ?? {}, annotations ?? {});
  const filled = fillSlices(group.slices, group.endpoints, ENDPOINTS_MAX, isChanged);
  const creates = filled.fresh.map((content) => creation(endpoints, group, content));
  const updates = [...filled.updated].map(([slice, content]): PlannedWrite => {
    const { annotations: _old, ...metadata } = slice.metadata ?? {};
    const object: EndpointSlice = {
      ...slice,
      metadata: { ...metadata, labels, ...(annotations && { annotations }) },
      endpoints: content,
      ports: group.ports,
    };
    return { verb: "update", kind: EndpointSlice, object };
  });
  return [...creates, ...updates, ...filled.emptied.map(removal)];
}

function creation(endpoints: Endpoints, group: Group, content: readonly Endpoint[]): PlannedWrite {
  const { namespace, name } = keyOf(endpoints);
  const { labels, annotations } = metadataOf(endpoints);
  const object: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels,
      ...(annotations && { annotations }),
      ownerReferences: [controllerReference(Endpoints, endpoints)],
    },
    addressType: group.family,
    endpoints: content,
    ports: group.ports,
  };
  return { verb: "create", kind: EndpointSlice, object };
}

function metadataOf({ metadata }: Endpoints) {
  const labels = {
    ...metadata?.labels,
    [SERVICE_LABEL]: metadata?.name ?? "",
    [MANAGED_LABEL]: MANAGER,
  };
  const copied = Object.entries(metadata?.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.has(key),
  );
  return { labels, annotations: copied.length ? Object.fromEntries(copied) : undefined };
}

function endpointOf({ ip, hostname, nodeName, targetRef }: Address, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(targetRef && { targetRef }),
    ...(nodeName && { nodeName }),
  };
}

function portOf(port: NonNullable<Subset["ports"]>[number]): Port {
  const { name = "", port: number, protocol = "TCP", appProtocol } = port;
  return { name, port: number, protocol, ...(appProtocol && { appProtocol }) };
}

function portKey({ name = "", port, protocol = "TCP", appProtocol = "" }: Port): string {
  return JSON.stringify([name, port, protocol, appProtocol]);
}

function removal(slice: EndpointSlice): PlannedWrite {
  const ifUid = slice.metadata?.uid ?? "";
  return { verb: "delete", kind: EndpointSlice, key: keyOf(slice), ifUid };
}
