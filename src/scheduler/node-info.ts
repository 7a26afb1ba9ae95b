import { hostPortsOf, type HostPort } from "../api/core/host-ports.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import {
  add,
  amountsOf,
  podRequests,
  scoredRequests,
  subtract,
  type Amounts,
} from "../api/core/pod-requests.ts";

/** What one Pod takes of its node; computed once per Pod version. */
export interface PodInfo {
  readonly pod: V1Pod;
  readonly requests: Amounts;
  readonly scored: Amounts;
  readonly hostPorts: readonly HostPort[];
}

/** One node with the Pods that are bound or assumed to it. Changed only by the scheduler's own cache. */
export class NodeInfo {
  node: V1Node;
  readonly pods = new Map<string, PodInfo>();
  readonly requested = new Map<string, number>();
  readonly scored = new Map<string, number>();
  allocatable: Amounts;
  /** Bytes of the images on the node, by every name they have. */
  imageBytes: ReadonlyMap<string, number>;

  constructor(node: V1Node) {
    this.node = node;
    this.allocatable = amountsOf(node.status?.allocatable);
    this.imageBytes = imagesOf(node);
  }

  get name(): string {
    return this.node.metadata?.name ?? "";
  }

  setNode(node: V1Node): void {
    if (node.status?.allocatable !== this.node.status?.allocatable)
      this.allocatable = amountsOf(node.status?.allocatable);
    if (node.status?.images !== this.node.status?.images) this.imageBytes = imagesOf(node);
    this.node = node;
  }

  /** `uid` of a Pod that is there already replaces it. */
  addPod(info: PodInfo): void {
    const uid = info.pod.metadata?.uid ?? "";
    this.removePod(uid);
    this.pods.set(uid, info);
    add(this.requested, info.requests);
    add(this.scored, info.scored);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (!info) return;
    this.pods.delete(uid);
    subtract(this.requested, info.requests);
    subtract(this.scored, info.scored);
  }
}

/** Computes what a Pod takes. */
export function podInfoOf(pod: V1Pod): PodInfo {
  return {
    pod,
    requests: podRequests(pod),
    scored: scoredRequests(pod),
    hostPorts: hostPortsOf(pod),
  };
}

function imagesOf(node: V1Node): ReadonlyMap<string, number> {
  const images = new Map<string, number>();
  for (const { names, sizeBytes } of node.status?.images ?? [])
    for (const name of names ?? []) images.set(name, sizeBytes ?? 0);
  return images;
}
