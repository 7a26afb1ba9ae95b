import { quantityMillis, quantityUnits } from "../machinery/quantity.ts";
import type { V1Container, V1Pod, V1PodSpec, V1PodStatus } from "../../gen/types.ts";

/** Amounts of resources: cpu in thousandths, everything else in its own unit (bytes, pieces). */
export type Amounts = ReadonlyMap<string, number>;

/**
 * What a container without requests counts in scores, so that many such Pods do not all land on one node.
 *
 * @spec k8s@1.36 pkg/scheduler/util DefaultMilliCPURequest, DefaultMemoryRequest
 */
const SCORED_MINIMUM: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

/** Reads a resource list; text that is no quantity counts 0 (validation refused it long before). */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [name, text] of Object.entries(list ?? {})) amounts.set(name, amount(name, text));
  return amounts;
}

/**
 * What a Pod needs of a node while it runs: the containers' sum, or the largest init container (with the sidecars that
 * run beside it) where that is more; what the Pod asks for as a whole goes before that; plus the overhead.
 *
 * @spec k8s@1.36 component-helpers resource PodRequests; KEP-2837 (pod-level resources)
 */
export function podRequests(pod: V1Pod): Amounts {
  return requestsWith(pod, askedFor);
}

/**
 * The same of a Pod on its node: while it is resized, what it has, was granted or wants, whichever is most.
 *
 * What the node said cannot be is not wanted.
 * @spec k8s@1.36 component-helpers resource PodRequests with UseStatusResources, determineContainerReqs; KEP-1287
 */
export function placedRequests(pod: V1Pod): Amounts {
  return requestsWith(pod, isResized(pod) ? heldBy(pod) : askedFor, pod.status);
}

/** The most a Pod may use while it runs; what some container has no limit for is limited by nothing, see there. */
export function podLimits(pod: V1Pod): Amounts {
  const own = shareable(pod.spec?.resources?.limits);
  return totalOf(pod, limitedTo, own);
}

/** What scores count: containers without a cpu or memory request count a little. */
export function scoredRequests(pod: V1Pod): Amounts {
  return scoredWith(pod, askedFor);
}

/** The same of a Pod on its node. */
export function placedScoredRequests(pod: V1Pod): Amounts {
  return scoredWith(pod, isResized(pod) ? heldBy(pod) : askedFor, pod.status);
}

/** True while the node says of some container something else than the Pod asks for. */
export function isResized({ spec, status }: V1Pod): boolean {
  if (!status?.containerStatuses) return false;
  if (status.allocatedResources && !isAsked(spec?.resources?.requests, status.allocatedResources))
    return true;
  const containers = new Map(resizable(spec).map((container) => [container.name, container]));
  return [...status.containerStatuses, ...(status.initContainerStatuses ?? [])].some(
    ({ name, resources, allocatedResources }) => {
      const asked = containers.get(name)?.resources?.requests;
      return (
        containers.has(name) &&
        !(isAsked(asked, resources?.requests) && isAsked(asked, allocatedResources))
      );
    },
  );
}

/** Those that run for as long as the Pod. */
function resizable(spec: V1PodSpec | undefined): readonly V1Container[] {
  const sidecars = spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always");
  return sidecars?.length ? [...(spec?.containers ?? []), ...sidecars] : (spec?.containers ?? []);
}

type List = Readonly<Record<string, string>> | undefined;

function isAsked(asked: List, told: List): boolean {
  for (const name in told) if (told[name] !== asked?.[name]) return false;
  return true;
}

type AmountsOfContainer = (container: V1Container) => Map<string, number>;

const askedFor: AmountsOfContainer = ({ resources }) => amountsOf(resources?.requests);

const limitedTo: AmountsOfContainer = ({ resources }) => amountsOf(resources?.limits);

/** @spec component-helpers resource IsPodResizeInfeasible */
function isInfeasible({ status }: V1Pod): boolean {
  return Boolean(
    status?.conditions?.some(
      ({ type, reason }) => type === "PodResizePending" && reason === "Infeasible",
    ),
  );
}

function heldBy(pod: V1Pod): AmountsOfContainer {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = new Map(
    [...containerStatuses, ...initContainerStatuses].map((one) => [one.name, one]),
  );
  const isWanted = !isInfeasible(pod);
  const running = new Set(resizable(pod.spec));
  return (container) => {
    const own = running.has(container) ? told.get(container.name) : undefined;
    if (!own?.resources) return askedFor(container);
    const most = isWanted ? askedFor(container) : new Map<string, number>();
    raise(most, amountsOf(own.resources.requests));
    raise(most, amountsOf(own.allocatedResources));
    return most;
  };
}

function requestsWith(pod: V1Pod, of: AmountsOfContainer, status?: V1PodStatus): Amounts {
  return totalOf(pod, of, requestsOfWhole(pod, status));
}

/** What the Pod asks for as a whole, of a Pod that is resized as a whole what it holds. */
function requestsOfWhole(pod: V1Pod, status: V1PodStatus | undefined): Amounts {
  const asked = shareable(pod.spec?.resources?.requests);
  if (asked.size === 0 || !status?.allocatedResources) return asked;
  const most = isInfeasible(pod) ? new Map<string, number>() : asked;
  raise(most, shareable(status.resources?.requests));
  raise(most, shareable(status.allocatedResources));
  return most;
}

/** What containers of a Pod can share. @spec component-helpers resource IsSupportedPodLevelResource */
export function isShareable(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

function shareable(list: List): Map<string, number> {
  const amounts = list ? amountsOf(list) : new Map<string, number>();
  for (const name of amounts.keys()) if (!isShareable(name)) amounts.delete(name);
  return amounts;
}

/** @spec k8s@1.36 pkg/scheduler/framework getNonMissingContainerRequests */
function scoredWith(pod: V1Pod, of: AmountsOfContainer, status?: V1PodStatus): Amounts {
  const whole = requestsOfWhole(pod, status);
  const total = whole.size > 0 ? totalOf(pod, of, whole) : undefined;
  const least = Object.entries(SCORED_MINIMUM).filter(([name]) => !total?.get(name));
  const atLeast: AmountsOfContainer = (container) => {
    const amounts = of(container);
    for (const [name, minimum] of least) if (!amounts.has(name)) amounts.set(name, minimum);
    return amounts;
  };
  return totalOf(pod, atLeast, whole);
}

/** `whole`: what goes before the containers' sum. */
function totalOf(pod: V1Pod, of: AmountsOfContainer, whole: Amounts): Amounts {
  const total = containersTotal(pod.spec, of);
  for (const [name, number] of whole) total.set(name, number);
  add(total, amountsOf(pod.spec?.overhead));
  return total;
}

/** What the containers of a Pod ask for together. @spec component-helpers resource AggregateContainerRequests */
export function containerRequests(spec: V1PodSpec): Amounts {
  return containersTotal(spec, askedFor);
}

/** The most the containers of a Pod may use together, as far as they say. */
export function containerLimits(spec: V1PodSpec): Amounts {
  return containersTotal(spec, limitedTo);
}

function containersTotal(spec: V1PodSpec | undefined, of: AmountsOfContainer): Map<string, number> {
  const total = new Map<string, number>();
  for (const container of spec?.containers ?? []) add(total, of(container));
  const sidecars = new Map<string, number>();
  const largestInit = new Map<string, number>();
  for (const container of spec?.initContainers ?? []) {
    const needed = of(container);
    if (container.restartPolicy === "Always") {
      add(total, needed);
      add(sidecars, needed);
      raise(largestInit, sidecars);
    } else {
      add(needed, sidecars);
      raise(largestInit, needed);
    }
  }
  raise(total, largestInit);
  return total;
}

/** Adds `more` to `total`, in place. */
export function add(total: Map<string, number>, more: Amounts): void {
  for (const [name, number] of more) total.set(name, (total.get(name) ?? 0) + number);
}

/** Takes `less` from `total`, in place. */
export function subtract(total: Map<string, number>, less: Amounts): void {
  for (const [name, number] of less) total.set(name, (total.get(name) ?? 0) - number);
}

function raise(total: Map<string, number>, atLeast: Amounts): void {
  for (const [name, number] of atLeast) total.set(name, Math.max(total.get(name) ?? 0, number));
}

function amount(name: string, text: string): number {
  try {
    return name === "cpu" ? quantityMillis(text) : quantityUnits(text);
  } catch {
    return 0;
  }
}
