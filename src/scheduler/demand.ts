import { hostPortsOf, type HostPort } from "../api/core/host-ports.ts";
import { Recent } from "../base/recent.ts";
import type { V1Pod, V1PodSpec } from "../gen/types.ts";
import { requestsOf, scoredRequestsOf, type Resources } from "./resources.ts";

/** What a Pod takes of its node. Pods of one template share it, before and after they are bound. */
export interface Demand {
  readonly requests: Resources;
  readonly scored: Resources;
  readonly hostPorts: readonly HostPort[];
}

interface Known {
  readonly initContainers: V1PodSpec["initContainers"];
  readonly overhead: V1PodSpec["overhead"];
  readonly demand: Demand;
}

/** Demands that are remembered: those of the templates at work now. Each holds one spec's containers. */
const DEMANDS_MAX = 256;

const recent = new Recent<object, Known>(DEMANDS_MAX);

/**
 * The demand of a Pod, remembered by the identity of what it is computed from: binding copies a spec, but not its containers.
 *
 * Objects from the cache are never changed, so the same containers always mean the same demand.
 */
export function demandOf(pod: V1Pod): Demand {
  const { containers, initContainers, overhead } = pod.spec ?? {};
  const known = containers && recent.get(containers);
  if (known && known.initContainers === initContainers && known.overhead === overhead)
    return known.demand;
  const demand = {
    requests: requestsOf(pod),
    scored: scoredRequestsOf(pod),
    hostPorts: hostPortsOf(pod),
  };
  if (containers) recent.set(containers, { initContainers, overhead, demand });
  return demand;
}
