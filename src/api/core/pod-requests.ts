import { quantityMillis, quantityUnits } from "../machinery/quantity.ts";
import type { V1Container, V1Pod } from "../../gen/types.ts";

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
 * run beside it) where that is more, plus the overhead.
 *
 * @spec k8s@1.36 component-helpers resource PodRequests
 */
export function podRequests(pod: V1Pod): Amounts {
  return requestsWith(pod, (container) => amountsOf(container.resources?.requests));
}

/** The most a Pod may use while it runs; what some container has no limit for is limited by nothing, see there. */
export function podLimits(pod: V1Pod): Amounts {
  return requestsWith(pod, (container) => amountsOf(container.resources?.limits));
}

/** The same for scores: containers without a cpu or memory request count a little. */
export function scoredRequests(pod: V1Pod): Amounts {
  return requestsWith(pod, (container) => {
    const amounts = amountsOf(container.resources?.requests);
    for (const [name, minimum] of Object.entries(SCORED_MINIMUM))
      if (!amounts.has(name)) amounts.set(name, minimum);
    return amounts;
  });
}

function requestsWith(pod: V1Pod, of: (container: V1Container) => Map<string, number>): Amounts {
  const total = new Map<string, number>();
  for (const container of pod.spec?.containers ?? []) add(total, of(container));
  const sidecars = new Map<string, number>();
  const largestInit = new Map<string, number>();
  for (const container of pod.spec?.initContainers ?? []) {
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
  add(total, amountsOf(pod.spec?.overhead));
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
