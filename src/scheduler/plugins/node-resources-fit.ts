import {
  SCORE_MAX,
  type NodeTest,
  type Plugin,
  type Rejection,
  type Scoring,
} from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { allocatableOf, requestsOf, scoredRequestsOf } from "../resources.ts";

interface Wanted {
  /** What must fit: name and amount, without zeros. */
  readonly requests: readonly (readonly [string, number])[];
  /** What the score counts. */
  readonly cpu: number;
  readonly memory: number;
}

/** The emptier the node after placing, the better: mean of the free parts of cpu and memory. */
const leastAllocated: Scoring<Wanted> = {
  scorer:
    ({ cpu, memory }) =>
    ({ allocatable, scored }) => {
      const hasCpu = allocatable.cpu !== 0;
      const hasMemory = allocatable.memory !== 0;
      if (!hasCpu && !hasMemory) return 0;
      const sum =
        freePart(scored.cpu + cpu, allocatable.cpu) +
        freePart(scored.memory + memory, allocatable.memory);
      return hasCpu && hasMemory ? Math.floor(sum / 2) : sum;
    },
};

function freePart(used: number, capacity: number): number {
  return used > capacity || capacity === 0
    ? 0
    : Math.floor(((capacity - used) * SCORE_MAX) / capacity);
}

/** Requests must fit into what the node has left. @spec k8s@1.36 plugins/noderesources fit.go, least_allocated.go */
export const nodeResourcesFit: Plugin<Wanted> = {
  name: "NodeResourcesFit",
  read: (spec) => {
    const scored = scoredRequestsOf({ spec });
    return { requests: [...requestsOf({ spec })], cpu: scored.cpu, memory: scored.memory };
  },
  filter: ({ requests }) => fitTest(requests),
  scoring: leastAllocated,
  canHelp: (change, { requests }) => {
    if (change.kind === "pod-freed") return true;
    if (change.kind !== "node") return false;
    if (change.difference?.allocatable === false) return false;
    const allocatable = allocatableOf(change.node.status?.allocatable);
    return requests.every(([name, amount]) => amount <= allocatable.get(name));
  },
};

function fitTest(requests: Wanted["requests"]): NodeTest {
  const rejections = new Map<string, Rejection>();
  const rejection = (reasons: readonly string[], isUnresolvable: boolean): Rejection => {
    const text = `${isUnresolvable} ${reasons.join()}`;
    let found = rejections.get(text);
    if (!found) rejections.set(text, (found = { reasons, isUnresolvable }));
    return found;
  };
  return (node) => {
    const { allocatable } = node;
    if (node.pods.size < node.podsMax && hasRoom(requests, node)) return undefined;
    const isUnresolvable = requests.some(([name, amount]) => amount > allocatable.get(name));
    return rejection(shortages(requests, node), isUnresolvable);
  };
}

function hasRoom(requests: Wanted["requests"], { allocatable, requested }: NodeInfo): boolean {
  for (let i = 0; i < requests.length; i++) {
    const [name, amount] = requests[i]!;
    if (amount > allocatable.get(name) - requested.get(name)) return false;
  }
  return true;
}

function shortages(requests: Wanted["requests"], node: NodeInfo): readonly string[] {
  const short = requests.filter(([name, amount]) => amount > freeAmount(node, name));
  return [
    ...(node.pods.size < node.podsMax ? [] : ["Too many pods"]),
    ...short.map(([name]) => `Insufficient ${name}`),
  ];
}

/** What `skiff why` and the tests ask: the node's free amount of one resource. */
export function freeAmount({ allocatable, requested }: NodeInfo, name: string): number {
  return allocatable.get(name) - requested.get(name);
}
