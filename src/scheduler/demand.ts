import { hostPortsOf, type HostPort } from "../api/core/host-ports.ts";
import { isResized } from "../api/core/pod-requests.ts";
import { Recent } from "../base/recent.ts";
import type { V1Pod, V1PodSpec } from "../gen/types.ts";
import { scoredTakenBy, takenBy, type Resources } from "./resources.ts";

/** What a Pod takes of its node. Pods of one template share it, before and after they are bound. */
export interface Demand {
  readonly requests: Resources;
  readonly scored: Resources;
  readonly hostPorts: readonly HostPort[];
}

interface Known {
  readonly initContainers: V1PodSpec["initContainers"];
  readonly overhead: V1PodSpec["overhead"];
  readonly resources: V1PodSpec["resources"];
  readonly demand: Demand;
  /** Of the Pod of them that was last seen while it is resized. */
  resized?: Demand;
}

/** Demands that are remembered: those of the templates at work now. Each holds one spec's containers. */
const DEMANDS_MAX = 256;

const recent = new Recent<object, Known>(DEMANDS_MAX);

/**
 * The demand of a Pod, remembered by the identity of what it is computed from: binding copies a spec, but not its containers.
 *
 * Objects from the cache are never changed, so the same containers always mean the same demand. A Pod that is resized has one of
 * its own, which stays the same object as long as it is the same.
 */
export function demandOf(pod: V1Pod): Demand {
  const known = knownOf(pod);
  if (!isResized(pod)) return known.demand;
  const demand = { ...computed(pod), hostPorts: known.demand.hostPorts };
  if (!known.resized || !isSame(known.resized, demand)) known.resized = demand;
  return known.resized;
}

function knownOf(pod: V1Pod): Known {
  const { containers, initContainers, overhead, resources } = pod.spec ?? {};
  const found = containers && recent.get(containers);
  if (
    found &&
    found.initContainers === initContainers &&
    found.overhead === overhead &&
    found.resources === resources
  )
    return found;
  const known = {
    initContainers,
    overhead,
    resources,
    demand: computed(pod.spec ? { spec: pod.spec } : {}),
  };
  if (containers) recent.set(containers, known);
  return known;
}

function computed(pod: V1Pod): Demand {
  return { requests: takenBy(pod), scored: scoredTakenBy(pod), hostPorts: hostPortsOf(pod) };
}

function isSame(a: Demand, b: Demand): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ requests, scored }: Demand): string {
  return JSON.stringify([[...requests].sort(), [...scored].sort()]);
}
