import { equalJson } from "../api/machinery/equality.ts";
import type { HostPort } from "../api/core/host-ports.ts";
import type { V1Node, V1Pod, V1Taint } from "../gen/types.ts";
import type { AffinityTerms } from "./affinity-terms.ts";
import type { PlacedVolumes } from "./claims-of-pod.ts";
import type { Demand } from "./demand.ts";
import { allocatableOf, Resources } from "./resources.ts";

/** A Pod on a node, bound or assumed. */
export interface PlacedPod {
  readonly pod: V1Pod;
  readonly demand: Demand;
  /** What it wants of Pods near it. */
  readonly terms: AffinityTerms | undefined;
  /** Its claims, and disks that only one may write to. */
  readonly volumes: PlacedVolumes | undefined;
}

/** One node with the Pods that are bound or assumed to it. Changed only by the scheduler's own cache. */
export class NodeInfo {
  readonly pods = new Map<string, PlacedPod>();
  /** Those that have affinity terms. */
  readonly affinityPods = new Set<PlacedPod>();
  /** Those that have volumes of their own. */
  readonly volumePods = new Set<PlacedPod>();
  readonly requested = new Resources();
  readonly scored = new Resources();
  /** The host ports of its Pods. */
  readonly hostPorts: HostPort[] = [];
  /** Where it is in the cache's list. */
  slot = -1;
  #node: V1Node;
  #facts: NodeFacts;

  constructor(node: V1Node, facts = factsOf(node)) {
    this.#node = node;
    this.#facts = facts;
  }

  /** The same node with the same Pods, to be changed in thought. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.#node, this.#facts);
    copy.slot = this.slot;
    for (const [uid, placed] of this.pods) copy.addPod(uid, placed);
    return copy;
  }

  get node(): V1Node {
    return this.#node;
  }

  get name(): string {
    return this.#facts.name;
  }

  get allocatable(): Resources {
    return this.#facts.allocatable;
  }

  /** How many Pods it takes. */
  get podsMax(): number {
    return this.#facts.podsMax;
  }

  get taints(): readonly V1Taint[] {
    return this.#facts.taints;
  }

  get isUnschedulable(): boolean {
    return this.#facts.isUnschedulable;
  }

  /** Bytes of the images on the node, by every name they have. */
  get images(): ReadonlyMap<string, number> {
    return this.#facts.images;
  }

  /** @returns what of it scheduling reads and has changed. */
  setNode(node: V1Node): NodeDifference {
    const difference = nodeDifference(this.#node, node);
    const { allocatable, taints, images } = difference;
    this.#node = node;
    if (allocatable || taints || images) this.#facts = factsOf(node);
    return difference;
  }

  /** A Pod that is not there yet. */
  addPod(uid: string, placed: PlacedPod): void {
    const { requests, scored, hostPorts } = placed.demand;
    this.pods.set(uid, placed);
    if (placed.terms) this.affinityPods.add(placed);
    if (placed.volumes) this.volumePods.add(placed);
    this.requested.add(requests);
    this.scored.add(scored);
    for (const port of hostPorts) this.hostPorts.push(port);
  }

  removePod(uid: string): boolean {
    const placed = this.pods.get(uid);
    if (!placed) return false;
    this.pods.delete(uid);
    this.affinityPods.delete(placed);
    if (placed.volumes) this.volumePods.delete(placed);
    const { requests, scored, hostPorts } = placed.demand;
    this.requested.subtract(requests);
    this.scored.subtract(scored);
    for (const port of hostPorts) this.hostPorts.splice(this.hostPorts.indexOf(port), 1);
    return true;
  }
}

/** What tests of nodes read of the object, without the way to it: they are asked for thousands of nodes in a row. */
interface NodeFacts {
  readonly name: string;
  readonly allocatable: Resources;
  readonly podsMax: number;
  readonly taints: readonly V1Taint[];
  readonly isUnschedulable: boolean;
  readonly images: ReadonlyMap<string, number>;
}

const NO_TAINTS: readonly V1Taint[] = [];

function factsOf(node: V1Node): NodeFacts {
  const allocatable = allocatableOf(node.status?.allocatable);
  const { taints = NO_TAINTS, unschedulable } = node.spec ?? {};
  return {
    name: node.metadata?.name ?? "",
    allocatable,
    podsMax: allocatable.get("pods"),
    taints: taints.length === 0 ? NO_TAINTS : taints,
    isUnschedulable: Boolean(unschedulable),
    images: imagesOf(node),
  };
}

/** What changed of a node, as far as scheduling reads it. */
export interface NodeDifference {
  readonly allocatable: boolean;
  readonly labels: boolean;
  readonly taints: boolean;
  readonly images: boolean;
  /** What its kubelet declares that it can. */
  readonly features: boolean;
}

/** `taints`: being unschedulable counts as one. @spec k8s@1.36 framework/events.go NodeSchedulingPropertiesChange */
export function nodeDifference(old: V1Node, node: V1Node): NodeDifference {
  return {
    allocatable: !equalJson(old.status?.allocatable, node.status?.allocatable),
    labels: !equalJson(old.metadata?.labels, node.metadata?.labels),
    taints:
      Boolean(old.spec?.unschedulable) !== Boolean(node.spec?.unschedulable) ||
      !equalJson(old.spec?.taints, node.spec?.taints),
    images: !equalJson(old.status?.images, node.status?.images),
    features: !equalJson(old.status?.declaredFeatures, node.status?.declaredFeatures),
  };
}

const NO_IMAGES: ReadonlyMap<string, number> = new Map();

function imagesOf(node: V1Node): ReadonlyMap<string, number> {
  const listed = node.status?.images;
  if (!listed || listed.length === 0) return NO_IMAGES;
  const images = new Map<string, number>();
  for (const { names, sizeBytes } of listed)
    for (const name of names ?? []) images.set(name, sizeBytes ?? 0);
  return images;
}
