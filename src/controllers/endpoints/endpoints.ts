import { keyOf } from "../../api/machinery/object.ts";
import { Endpoints } from "../../api/core/endpoints.ts";
import type { Pod } from "../../api/core/pod.ts";
import { Service } from "../../api/core/service.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import { isBeingDeleted, sameKeyOf } from "../../reconciler/ownership.ts";
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
import { triggerTimeOf, withTriggerTime } from "../../reconciler/trigger-time.ts";
import { packSubsets, type Address, type Entry, type Subset } from "./subsets.ts";

const HEADLESS_LABEL = "service.kubernetes.io/headless";
const MANAGED_LABEL = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";
/** Addresses of one Endpoints object. @spec endpoints_controller.go maxCapacity. Doubling doubles the largest object that every watcher gets. */
const ADDRESSES_MAX = 1000;

/** `service` is absent when only its Endpoints are left. */
export interface Observed {
  readonly service: Service | undefined;
  readonly endpoints: Endpoints | undefined;
  readonly pods: readonly Pod[];
}

/**
 * Keeps the (old) Endpoints object of each Service with a selector.
 *
 * Endpoints that are left over from a Service go only if this controller made them: others may be anybody's.
 * @spec k8s@1.36 pkg/controller/endpoint/endpoints_controller.go syncService
 */
export const endpointsController = defineController<Service, Observed>({
  name: "endpoints-controller",
  eventSource: "endpoint-controller",
  primary: Service,
  triggers: [servicesOfPods, sameKeyOf(Endpoints)],
  observe(cache, key) {
    const service = cache.get(Service, key);
    const endpoints = cache.get(Endpoints, key);
    if (!service) return endpoints && { service, endpoints, pods: [] };
    if (hasNoSelector(service)) return undefined;
    return { service, endpoints, pods: podsOfService(cache, service) };
  },
  plan,
});

/** Pure; see {@link endpointsController}. */
export function plan({ service, endpoints, pods }: Observed): Plan {
  if (!service) return leftOver(endpoints);
  if (isBeingDeleted(service)) return {};
  const wanted = wantedEndpoints(service, endpoints, pods);
  const isCreate = endpoints === undefined;
  if (
    !isCreate &&
    equalStored(wanted.subsets, endpoints.subsets) &&
    equalStored(wanted.metadata, endpoints.metadata)
  ) {
    return {};
  }
  const { namespace, name } = keyOf(service);
  const time = triggerTimeOf(service, isCreate, changedPods(service, endpoints, pods));
  const object = timed(wanted, time);
  return {
    writes: [{ verb: isCreate ? "create" : "update", kind: Endpoints, object }],
    events: [
      {
        type: "Warning",
        reason: isCreate ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint",
        message: isCreate
          ? `Failed to create endpoint for service ${namespace}/${name}: {error}`
          : `Failed to update endpoint ${namespace}/${name}: {error}`,
        regarding: object,
        afterWrite: 0,
        onFailure: true,
      },
    ],
  };
}

function timed(endpoints: Endpoints, time: string | undefined): Endpoints {
  const { annotations, ...metadata } = endpoints.metadata ?? {};
  const all = withTriggerTime(annotations, time);
  return { ...endpoints, metadata: { ...metadata, ...(all && { annotations: all }) } };
}

/** Those that `endpoints` shows otherwise than they are, or not at all. */
function changedPods(
  service: Service,
  endpoints: Endpoints | undefined,
  pods: readonly Pod[],
): readonly Pod[] {
  const stateOf = (subsets: readonly Subset[]): ReadonlyMap<string, boolean> => {
    const entries = (list: readonly Address[] | undefined, isReady: boolean) =>
      (list ?? []).map(({ targetRef }) => [targetRef?.uid ?? "", isReady] as const);
    return new Map(
      subsets.flatMap(({ addresses, notReadyAddresses }) => [
        ...entries(addresses, true),
        ...entries(notReadyAddresses, false),
      ]),
    );
  };
  const shown = stateOf(endpoints?.subsets ?? []);
  return pods.filter((pod) => {
    const [entry] = entriesOf(service, pod);
    return entry && shown.get(pod.metadata?.uid ?? "") !== entry.isReady;
  });
}

function leftOver(endpoints: Endpoints | undefined): Plan {
  if (endpoints?.metadata?.labels?.[MANAGED_LABEL] !== MANAGER) return {};
  const ifUid = endpoints.metadata.uid ?? "";
  return { writes: [{ verb: "delete", kind: Endpoints, key: keyOf(endpoints), ifUid }] };
}

function wantedEndpoints(
  service: Service,
  current: Endpoints | undefined,
  pods: readonly Pod[],
): Endpoints {
  const { namespace, name } = keyOf(service);
  // Whether it is headless, the Service itself says, not its label.
  const { [HEADLESS_LABEL]: _headless, ...own } = service.metadata?.labels ?? {};
  const labels = {
    ...own,
    [MANAGED_LABEL]: MANAGER,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }),
  };
  const subsets = packSubsets(pods.flatMap((pod) => entriesOf(service, pod)));
  const kept = truncate(subsets);
  const { [OVER_CAPACITY]: _old, ...annotations } = current?.metadata?.annotations ?? {};
  if (kept !== subsets) Object.assign(annotations, { [OVER_CAPACITY]: "truncated" });
  const hasAnnotations = Object.keys(annotations).length > 0;
  const { annotations: _annotations, ...metadata } = current?.metadata ?? { name, namespace };
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...metadata, labels, ...(hasAnnotations && { annotations }) },
    ...(kept.length && { subsets: kept }),
  };
}

function entriesOf(service: Service, pod: Pod): Entry[] {
  const isTolerant = service.spec?.publishNotReadyAddresses ?? false;
  if (isPodTerminal(pod) || (isBeingDeleted(pod) && !isTolerant)) return [];
  const family = service.spec?.ipFamilies?.[0] ?? "IPv4";
  const ip = addressesOf(pod).find((address) => familyOf(address) === family);
  if (ip === undefined) return [];
  const address = addressOf(service, pod, ip);
  const isReady = isTolerant || isPodReady(pod);
  const ports = service.spec?.ports ?? [];
  if (ports.length === 0) return isHeadless(service) ? [{ address, port: undefined, isReady }] : [];
  return ports.flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = servicePort;
    const entry = { ...(name && { name }), port, protocol, ...(appProtocol && { appProtocol }) };
    return [{ address, port: entry, isReady }];
  });
}

function addressOf(service: Service, pod: Pod, ip: string): Address {
  const { namespace, name } = keyOf(pod);
  const hostname = hostnameFor(pod, service);
  return {
    ip,
    ...(hostname && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid: pod.metadata?.uid ?? "" },
  };
}

/** Ready addresses stay before those that are not. @spec truncateEndpoints */
function truncate(subsets: readonly Subset[]): readonly Subset[] {
  const count = (pick: (subset: Subset) => readonly Address[] | undefined): number =>
    subsets.reduce((sum, subset) => sum + (pick(subset)?.length ?? 0), 0);
  if (count((s) => s.addresses) + count((s) => s.notReadyAddresses) <= ADDRESSES_MAX)
    return subsets;
  let room = ADDRESSES_MAX;
  const take = (list: readonly Address[] | undefined): readonly Address[] => {
    const part = (list ?? []).slice(0, room);
    room -= part.length;
    return part;
  };
  const ready = subsets.map((subset) => take(subset.addresses));
  const notReady = subsets.map((subset) => take(subset.notReadyAddresses));
  return subsets.flatMap(({ ports }, index) => {
    const addresses = ready[index]!;
    const notReadyAddresses = notReady[index]!;
    if (addresses.length + notReadyAddresses.length === 0) return [];
    return [
      {
        ...(addresses.length && { addresses }),
        ...(notReadyAddresses.length && { notReadyAddresses }),
        ...(ports && { ports }),
      },
    ];
  });
}
