import { keyOf } from "../../api/machinery/object.ts";
import { Node } from "../../api/core/node.ts";
import type { Cache } from "../../client/cache.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { formatCidr, overlaps, parseCidr, subnets, type Cidr } from "./cidr.ts";

/** One key for all nodes: two that come together must not get the same range. */
const ALL = "all";

/** `--pod-cidr` and `--node-pod-prefix`, checked. */
export interface PodRange {
  readonly range: Cidr;
  readonly nodePrefix: number;
}

/** @throws {RangeError} what is wrong, in the words of the flags. */
export function parsePodRange(podCidr: string, nodePrefix: number): PodRange {
  const range = parseCidr(podCidr);
  if (!range)
    throw new RangeError(`--pod-cidr: ${JSON.stringify(podCidr)} is no CIDR (like 10.244.0.0/16)`);
  if (!Number.isInteger(nodePrefix) || nodePrefix < range.prefix || nodePrefix > range.width) {
    const bounds = `${range.prefix} and ${range.width}`;
    throw new RangeError(
      `--node-pod-prefix: ${nodePrefix} must be between ${bounds} for ${podCidr}`,
    );
  }
  return { range, nodePrefix };
}

/**
 * Gives every node that has an agent a range of Pod addresses, once.
 *
 * The nodes themselves are the record: a range is free when no node has it.
 * @spec k8s@1.36 pkg/controller/nodeipam/ipam/range_allocator.go
 */
export function nodeIpamLoop(cache: Cache, podRange: PodRange): Loop {
  return {
    name: "node-ipam-controller",
    eventSource: "cidrAllocator",
    kinds: fixedKinds([Node]),
    keysOf: ({ object }) => (object && (object as Node).spec?.podCIDR ? [] : [ALL]),
    decide: () => ({ plan: plan(cache.list(Node), podRange) }),
  };
}

/** Pure; see {@link nodeIpamLoop}. */
export function plan(nodes: readonly Node[], { range, nodePrefix }: PodRange): Plan {
  const taken = nodes.flatMap(({ spec }) => {
    const texts = spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []);
    return texts.flatMap((text) => parseCidr(text) ?? []);
  });
  const waiting = nodes.filter(
    (node) => !node.spec?.podCIDR && hasAgent(node) && !isBeingDeleted(node),
  );
  if (waiting.length === 0) return {};
  const free = freeSubnets(range, nodePrefix, taken);
  const writes: PlannedWrite[] = [];
  const events: PlannedEvent[] = [];
  for (const node of waiting) {
    const next = free.next();
    if (next.done) events.push(exhausted(node));
    else writes.push(assignment(node, formatCidr(next.value)));
  }
  return { writes, events };
}

function* freeSubnets(range: Cidr, prefix: number, taken: readonly Cidr[]): Generator<Cidr> {
  const exact = new Set(taken.map(formatCidr));
  const odd = taken.filter((cidr) => cidr.prefix !== prefix);
  for (const subnet of subnets(range, prefix)) {
    if (!exact.has(formatCidr(subnet)) && !odd.some((cidr) => overlaps(cidr, subnet))) yield subnet;
  }
}

/** An agent says its version when it registers; a Node object that somebody just wrote has none. */
function hasAgent(node: Node): boolean {
  return (node.status?.nodeInfo?.kubeletVersion ?? "") !== "";
}

function assignment(node: Node, cidr: string): PlannedWrite {
  return {
    verb: "patch",
    kind: Node,
    key: keyOf(node),
    ifUid: node.metadata?.uid ?? "",
    // No version: an agent writes its node often, and a range that is set cannot be changed.
    patch: { spec: { podCIDR: cidr, podCIDRs: [cidr] } },
  };
}

function exhausted(node: Node): PlannedEvent {
  const message = `Node ${node.metadata?.name} status is now: CIDRNotAvailable`;
  return {
    type: "Normal",
    reason: "CIDRNotAvailable",
    message,
    regarding: { ...node, kind: "Node", apiVersion: "v1" },
  };
}
