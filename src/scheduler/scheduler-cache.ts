import type { V1Node, V1Pod, V1PodDisruptionBudget } from "../gen/types.ts";
import { equalJson } from "../api/machinery/equality.ts";
import { ChangeLog } from "./change-log.ts";
import type { Snapshot } from "./cycle.ts";
import type { Demand } from "./demand.ts";
import { Claims } from "./claims.ts";
import { Domains } from "./domains.ts";
import { LabelInterest } from "./label-interest.ts";
import { Nominations } from "./nominations.ts";
import { placedPodOf } from "./placed-pod.ts";
import { priorityOf } from "./priority.ts";
import { NodeInfo, type NodeDifference, type PlacedPod } from "./node-info.ts";

/** Where a Pod counts. */
interface Placement extends PlacedPod {
  pod: V1Pod;
  readonly node: string;
  /** Decided, but the server has not said so yet. */
  isAssumed: boolean;
}

/**
 * Nodes with their Pods, kept in step with the watch, plus the Pods that were decided but whose binding has not come back.
 *
 * It is the snapshot that decisions read: each change is made in it at once and noted in `changes`, so a decision costs what
 * has changed and not what there is. A Pod that names a node not (yet) known is kept, and counts when the node appears.
 */
export class SchedulerCache implements Snapshot {
  /** Slots that changed in a way that scheduling reads. */
  readonly changes = new ChangeLog();
  readonly domains = new Domains();
  /** Which labels of Pods the terms of placed Pods look at. */
  readonly interest = new LabelInterest();
  readonly nominations = new Nominations();
  readonly claims = new Claims();
  readonly #budgets = new Map<string, V1PodDisruptionBudget>();
  /** How many placed Pods have each priority. */
  readonly #priorities = new Map<number, number>();
  readonly #nodes: NodeInfo[] = [];
  readonly #byName = new Map<string, NodeInfo>();
  readonly #placements = new Map<string, Placement>();
  /** Uids of Pods on nodes that are not known, by node name. */
  readonly #homeless = new Map<string, Set<string>>();
  readonly #nodesByImage = new Map<string, number>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  #factsVersion = 0;
  #namespacesVersion = 0;

  /** All nodes, without gaps; in no order that means anything. */
  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  /** Grows with every change of what {@link ClusterFacts} says: the number of nodes, and of nodes with an image. */
  get factsVersion(): number {
    return this.#factsVersion;
  }

  node(name: string): NodeInfo | undefined {
    return this.#byName.get(name);
  }

  nodesWithImage(name: string): number {
    return this.#nodesByImage.get(name) ?? 0;
  }

  get namespacesVersion(): number {
    return this.#namespacesVersion;
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.#namespaces.get(name) ?? NO_LABELS;
  }

  /** `undefined`: the namespace is gone. */
  setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (equalJson(this.namespaceLabels(name), labels ?? NO_LABELS)) return;
    this.#namespacesVersion++;
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
  }

  /** Pods on nodes that are known or not; those of them that are assumed. */
  get podCounts(): { readonly all: number; readonly assumed: number } {
    let assumed = 0;
    for (const { isAssumed } of this.#placements.values()) if (isAssumed) assumed++;
    return { all: this.#placements.size, assumed };
  }

  get budgets(): readonly V1PodDisruptionBudget[] {
    return [...this.#budgets.values()];
  }

  /** `undefined`: the budget is gone. `key`: its namespace and name. */
  setBudget(key: string, budget: V1PodDisruptionBudget | undefined): void {
    if (budget) this.#budgets.set(key, budget);
    else this.#budgets.delete(key);
  }

  hasLower(priority: number): boolean {
    for (const one of this.#priorities.keys()) if (one < priority) return true;
    return false;
  }

  /** @returns what changed of a node that was known. */
  setNode(node: V1Node): NodeDifference | undefined {
    const name = node.metadata?.name ?? "";
    const known = this.#byName.get(name);
    if (!known) {
      this.#addNode(name, new NodeInfo(node));
      return undefined;
    }
    const { images } = known;
    const difference = known.setNode(node);
    if (difference.images) {
      this.#countImages(images, -1);
      this.#countImages(known.images, 1);
    }
    if (Object.values(difference).includes(true)) this.changes.push(known.slot);
    return difference;
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name);
    if (!info) return;
    this.#byName.delete(name);
    this.#countImages(info.images, -1);
    const last = this.#nodes.pop()!;
    this.changes.push(last.slot);
    if (last !== info) {
      last.slot = info.slot;
      this.#nodes[last.slot] = last;
      this.changes.push(last.slot);
    }
    if (info.pods.size > 0) this.#homeless.set(name, new Set(info.pods.keys()));
    this.domains.trim(this.#nodes.length);
  }

  /** A Pod that the server knows on a node; ends its being assumed. @returns what it had taken, elsewhere or more or less. */
  setPod(pod: V1Pod): Demand | undefined {
    return this.#place(pod, pod.spec?.nodeName ?? "", false);
  }

  /** Counts a decided Pod on its node at once. */
  assume(pod: V1Pod, node: string): void {
    this.#place(pod, node, true);
  }

  /** Binding failed: the Pod takes nothing after all. Does nothing once the server has said otherwise. */
  forget(pod: V1Pod): Demand | undefined {
    return this.isAssumed(pod) ? this.removePod(uidOf(pod)) : undefined;
  }

  isAssumed(pod: V1Pod): boolean {
    return this.#placements.get(uidOf(pod))?.isAssumed ?? false;
  }

  /** @returns what it had taken, when it was on a node. */
  removePod(uid: string): Demand | undefined {
    const placement = this.#placements.get(uid);
    if (!placement) return undefined;
    this.#placements.delete(uid);
    this.#countPriority(placement.pod, -1);
    const node = this.#byName.get(placement.node);
    if (node?.removePod(uid)) this.changes.push(node.slot);
    const homeless = this.#homeless.get(placement.node);
    if (homeless?.delete(uid) && homeless.size === 0) this.#homeless.delete(placement.node);
    return placement.demand;
  }

  #addNode(name: string, info: NodeInfo): void {
    info.slot = this.#nodes.push(info) - 1;
    this.#byName.set(name, info);
    for (const uid of this.#homeless.get(name) ?? []) info.addPod(uid, this.#placements.get(uid)!);
    this.#homeless.delete(name);
    this.#countImages(info.images, 1);
    this.changes.push(info.slot);
  }

  #place(pod: V1Pod, name: string, isAssumed: boolean): Demand | undefined {
    const uid = uidOf(pod);
    const { demand, terms, volumes } = placedPodOf(pod);
    const known = this.#placements.get(uid);
    const node = this.#byName.get(name);
    if (known?.node === name && known.demand === demand && known.terms === terms) {
      const isSeen = isCountedAlike(known.pod, pod);
      known.pod = pod;
      known.isAssumed = isAssumed;
      if (!isSeen && node) this.changes.push(node.slot);
      return undefined;
    }
    this.removePod(uid);
    if (terms) this.interest.add(terms);
    const placement = { pod, demand, terms, volumes, node: name, isAssumed };
    this.#placements.set(uid, placement);
    this.#countPriority(pod, 1);
    if (node) {
      node.addPod(uid, placement);
      this.changes.push(node.slot);
    } else this.#homeless.set(name, (this.#homeless.get(name) ?? new Set()).add(uid));
    return known?.demand;
  }

  #countPriority(pod: V1Pod, by: 1 | -1): void {
    const priority = priorityOf(pod);
    const count = (this.#priorities.get(priority) ?? 0) + by;
    if (count === 0) this.#priorities.delete(priority);
    else this.#priorities.set(priority, count);
  }

  #countImages(images: ReadonlyMap<string, number>, by: 1 | -1): void {
    this.#factsVersion++;
    for (const name of images.keys()) {
      const count = this.nodesWithImage(name) + by;
      if (count === 0) this.#nodesByImage.delete(name);
      else this.#nodesByImage.set(name, count);
    }
  }
}

const NO_LABELS: Readonly<Record<string, string>> = {};

/** True when nobody who counts Pods can tell the two versions apart. */
export function isCountedAlike({ metadata: a }: V1Pod, { metadata: b }: V1Pod): boolean {
  return (
    Boolean(a?.deletionTimestamp) === Boolean(b?.deletionTimestamp) &&
    equalJson(a?.labels, b?.labels)
  );
}

function uidOf(pod: V1Pod): string {
  return pod.metadata?.uid ?? "";
}
