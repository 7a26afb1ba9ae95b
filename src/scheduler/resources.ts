import {
  amountsOf,
  placedRequests,
  placedScoredRequests,
  podRequests,
  scoredRequests,
  type Amounts,
} from "../api/core/pod-requests.ts";
import type { V1Pod } from "../gen/types.ts";

/**
 * Amounts of resources, cpu in thousandths. The two that every Pod takes are fields, because the maps of all nodes cost
 * ten times as much to read as to compare.
 */
export class Resources {
  cpu = 0;
  memory = 0;
  /** All others; made when first needed, since most nodes and Pods have few. */
  #others: Map<string, number> | undefined;

  static of(amounts: Amounts): Resources {
    const resources = new Resources();
    for (const [name, amount] of amounts) resources.#add(name, amount);
    return resources;
  }

  get(name: string): number {
    if (name === "cpu") return this.cpu;
    if (name === "memory") return this.memory;
    return this.#others?.get(name) ?? 0;
  }

  add(more: Resources): void {
    this.cpu += more.cpu;
    this.memory += more.memory;
    if (more.#others) for (const [name, amount] of more.#others) this.#add(name, amount);
  }

  subtract(less: Resources): void {
    this.cpu -= less.cpu;
    this.memory -= less.memory;
    if (less.#others) for (const [name, amount] of less.#others) this.#add(name, -amount);
  }

  /** What is not zero, by name. */
  *[Symbol.iterator](): Generator<readonly [string, number]> {
    if (this.cpu !== 0) yield ["cpu", this.cpu];
    if (this.memory !== 0) yield ["memory", this.memory];
    for (const entry of this.#others ?? []) if (entry[1] !== 0) yield entry;
  }

  #add(name: string, amount: number): void {
    if (name === "cpu") this.cpu += amount;
    else if (name === "memory") this.memory += amount;
    else {
      this.#others ??= new Map();
      this.#others.set(name, (this.#others.get(name) ?? 0) + amount);
    }
  }
}

/** What a node gives. */
export function allocatableOf(list: Readonly<Record<string, string>> | undefined): Resources {
  return Resources.of(amountsOf(list));
}

/** What a Pod asks of a node. */
export function requestsOf(pod: V1Pod): Resources {
  return Resources.of(podRequests(pod));
}

/** The same for scores: containers without a cpu or memory request count a little. */
export function scoredRequestsOf(pod: V1Pod): Resources {
  return Resources.of(scoredRequests(pod));
}

/** What a Pod takes of its node: while it is resized more than it asks for, or less. */
export function takenBy(pod: V1Pod): Resources {
  return Resources.of(placedRequests(pod));
}

/** The same for scores. */
export function scoredTakenBy(pod: V1Pod): Resources {
  return Resources.of(placedScoredRequests(pod));
}
