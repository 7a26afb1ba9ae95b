import { keyOf } from "../api/machinery/object.ts";
import { Pod } from "../api/core/pod.ts";
import { Service } from "../api/core/service.ts";
import type { CacheReader } from "../client/cache.ts";
import type { Trigger } from "./controller.ts";
import { equalStored } from "../api/machinery/equality.ts";
import { isPodReady, isPodTerminal } from "./pod-state.ts";
import { mapMatcherOf } from "./selection.ts";

/** Which Services a change of a Pod concerns: those that select it, or did. @spec endpointslice/util GetServicesToUpdate */
export const servicesOfPods: Trigger = {
  kind: Pod,
  keys({ old, object, key }, cache) {
    const services = cache.list(Service, { namespace: key.namespace });
    if (services.length === 0) return NONE;
    if (old && object && isSameEndpoint(old as Pod, object as Pod)) return NONE;
    const labels = [old, object].filter((pod) => pod !== undefined);
    return services
      .filter(({ spec }) => {
        const matches = mapMatcherOf(spec?.selector);
        return labels.some(({ metadata }) => matches(metadata?.labels));
      })
      .map(keyOf);
  },
};

const NONE: readonly never[] = [];

/** True when nothing differs that an endpoint shows. */
function isSameEndpoint(a: Pod, b: Pod): boolean {
  const shown = ({ metadata, spec, status }: Pod): unknown[] => [
    metadata?.labels,
    metadata?.deletionTimestamp,
    spec?.hostname,
    spec?.subdomain,
    spec?.nodeName,
    status?.podIP,
    status?.podIPs,
  ];
  return (
    isPodReady(a) === isPodReady(b) &&
    isPodTerminal(a) === isPodTerminal(b) &&
    equalStored(shown(a), shown(b))
  );
}

/** The Pods that a Service selects. */
export function podsOfService(cache: CacheReader, service: Service): readonly Pod[] {
  const matches = mapMatcherOf(service.spec?.selector);
  const namespace = service.metadata?.namespace ?? "";
  return cache.list(Pod, { namespace, where: ({ metadata }) => matches(metadata?.labels) });
}

type ServicePort = NonNullable<NonNullable<Service["spec"]>["ports"]>[number];

/** The port of `pod` that a Service's port leads to; a named one must be declared by a container. @spec podutil.FindPort */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort as number | string | undefined;
  if (typeof target === "number") return target;
  if (target === undefined || target === "") return port.port;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const sidecars = initContainers.filter((container) => container.restartPolicy === "Always");
  const declared = [...containers, ...sidecars].flatMap((container) => container.ports ?? []);
  const protocol = port.protocol ?? "TCP";
  return declared.find(
    (candidate) => candidate.name === target && (candidate.protocol ?? "TCP") === protocol,
  )?.containerPort;
}

/** The Pod's own host name counts for a Service that is its subdomain. @spec ShouldSetHostname */
export function hostnameFor(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata?.name ? hostname : undefined;
}

/** Headless: DNS answers with the endpoints themselves. */
export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === "None";
}

/** A Service whose endpoints somebody else provides, or nobody. */
export function hasNoSelector(service: Service): boolean {
  return service.spec?.selector === undefined || service.spec.type === "ExternalName";
}

/** All addresses of a Pod. */
export function addressesOf(pod: Pod): readonly string[] {
  const many = (pod.status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== undefined);
  return many.length ? many : pod.status?.podIP ? [pod.status.podIP] : [];
}

/** `IPv6` or `IPv4`, by the look of a valid address. */
export const familyOf = (address: string): "IPv4" | "IPv6" =>
  address.includes(":") ? "IPv6" : "IPv4";
