import { keyOf } from "../../api/machinery/object.ts";
import { Endpoints } from "../../api/core/endpoints.ts";
import { Service } from "../../api/core/service.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import {
  defineController,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
} from "../../reconciler/controller.ts";
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
  const changes = groupsOf(endpoints, own).map((group) => changesOf(endpoints, group));
  const writes = FAMILIES.flatMap((family) =>
    writesOf(
      endpoints,
      changes.filter((change) => change.family === family),
    ),
  );
  return { writes, events: eventsOf(endpoints) };
}

/** @spec k8s@1.36 pkg/controller/endpointslicemirroring/events.go */
function eventsOf({ subsets = [] }: Endpoints): PlannedEvent[] {
  const skipped = subsets
    .map(
      ({ addresses = [], notReadyAddresses = [] }) => addresses.length + notReadyAddresses.length,
    )
    .reduce((sum, count) => sum + Math.max(0, count - ENDPOINTS_MAX), 0);
  if (skipped === 0) return [];
  const message = `A max of ${ENDPOINTS_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;
  return [{ type: "Warning", reason: "TooManyAddressesToMirror", message }];
}

/** @spec skipMirror; a Service with a selector has slices of its own */
function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  if (metadata?.labels?.[SKIP_LABEL] === "true") return false;
  if (metadata?.annotations && LEADER_ANNOTATION in metadata.annotations) return false;
  return service !== undefined && service.spec?.selector === undefined && !isBeingDeleted(service);
}

const FAMILIES = ["IPv4", "IPv6"] as const;

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

/** What becomes of the slices of one group. */
interface Changes {
  readonly family: Group["family"];
  readonly fresh: readonly Content[];
  readonly updated: readonly (readonly [EndpointSlice, Content])[];
  readonly removed: readonly EndpointSlice[];
}

interface Content {
  readonly ports: readonly Port[];
  readonly endpoints: readonly Endpoint[];
}

function changesOf(
  endpoints: Endpoints,
  { family, ports, endpoints: wanted, slices }: Group,
): Changes {
  if (wanted.length === 0) return { family, fresh: [], updated: [], removed: slices };
  const { labels, annotations } = metadataOf(endpoints);
  const isChanged = ({ metadata }: EndpointSlice): boolean =>
    !equalStored(metadata?.labels, labels) ||
    !equalStored(metadata?.annotations ?? {}, annotations ?? {});
  const filled = fillSlices(slices, wanted, ENDPOINTS_MAX, isChanged);
  return {
    family,
    fresh: filled.fresh.map((content) => ({ ports, endpoints: content })),
    updated: [...filled.updated].map(([slice, content]) => [slice, { ports, endpoints: content }]),
    removed: filled.emptied,
  };
}

/** A slice that would go and one that would come are one update. @spec recycleSlices */
function writesOf(endpoints: Endpoints, changes: readonly Changes[]): PlannedWrite[] {
  const fresh = changes.flatMap((change) => change.fresh);
  const removed = changes.flatMap((change) => change.removed);
  const count = Math.min(fresh.length, removed.length);
  const reused = fresh.slice(0, count).map((content, i) => [removed[i]!, content] as const);
  const { family } = changes[0] ?? { family: "IPv4" };
  return [
    ...fresh.slice(count).map((content) => creation(endpoints, family, content)),
    ...[...changes.flatMap(({ updated }) => updated), ...reused].map(([slice, content]) =>
      rewriting(endpoints, slice, content),
    ),
    ...removed.slice(count).map(removal),
  ];
}

function rewriting(
  endpoints: Endpoints,
  slice: EndpointSlice,
  { ports, endpoints: content }: Content,
): PlannedWrite {
  const { labels, annotations } = metadataOf(endpoints);
  const { annotations: _old, ...metadata } = slice.metadata ?? {};
  const object: EndpointSlice = {
    ...slice,
    metadata: { ...metadata, labels, ...(annotations && { annotations }) },
    endpoints: content,
    ports,
  };
  return { verb: "update", kind: EndpointSlice, object };
}

function creation(
  endpoints: Endpoints,
  family: Group["family"],
  { ports, endpoints: content }: Content,
): PlannedWrite {
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
    addressType: family,
    endpoints: content,
    ports,
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
