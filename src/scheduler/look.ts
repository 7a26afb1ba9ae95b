import type { Random } from "../base/random.ts";
import type { Refusal } from "./fit-message.ts";
import type { ClusterFacts, Rejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass, TopologyRule } from "./pod-class.ts";

/** Who refuses a node, and why. */
export interface NodeRefusal {
  readonly plugin: string;
  readonly rejection: Rejection;
}

/** What one class of Pods makes of the nodes of a cluster, all of them or those that it names. */
export interface Look {
  /** How many nodes would do. */
  readonly feasible: number;
  /** About other Pods; they know all nodes. */
  readonly rules: readonly TopologyRule[];
  /** One of the best nodes, at random. `undefined`: none would do. */
  pick(random: Random): NodeInfo | undefined;
  /** Why the others would not. */
  refusals(): readonly Refusal[];
  /** The nodes that were looked at. */
  nodes(): readonly NodeInfo[];
  /** Why a node that was looked at does not do. */
  refusal(node: NodeInfo): NodeRefusal | undefined;
  /** What {@link refusal} would be, were the node as `changed`, in the same slot. */
  refusalIf(changed: NodeInfo): NodeRefusal | undefined;
  /** Counts nodes that would do as refused, for this decision alone. */
  exclude(refused: ReadonlyMap<NodeInfo, NodeRefusal>): void;
}

/** The nodes and what scores read of all of them. */
export interface Nodes extends ClusterFacts {
  node(name: string): NodeInfo | undefined;
}

/**
 * The definition of a look: every node is asked, and nothing is remembered.
 *
 * Upstream samples (`percentageOfNodesToScore`) because it scores anew each time; `ClassScores` comes to the same answers from
 * what is already known.
 */
export class FreshLook implements Look {
  readonly #podClass: PodClass;
  readonly #cluster: Nodes;
  readonly #rules: readonly TopologyRule[];
  readonly #nodes: readonly NodeInfo[];
  readonly #refused = new Map<NodeInfo, NodeRefusal>();

  constructor(podClass: PodClass, cluster: Nodes) {
    this.#podClass = podClass;
    this.#cluster = cluster;
    this.#rules = podClass.topologies(cluster);
    for (const { topology } of this.#rules)
      for (const node of cluster.nodes) topology.look(node.slot, node);
    const { candidates } = podClass;
    this.#nodes = candidates
      ? candidates.names.flatMap((name) => cluster.node(name) ?? [])
      : cluster.nodes;
    for (const node of this.#nodes) {
      const refusal = firstRefusal(podClass, node) ?? firstRuleRefusal(this.#rules, node.slot);
      if (refusal) this.#refused.set(node, refusal);
    }
  }

  get rules(): readonly TopologyRule[] {
    return this.#rules;
  }

  get feasible(): number {
    return this.#nodes.length - this.#refused.size;
  }

  pick(random: Random): NodeInfo | undefined {
    const feasible = this.#nodes.filter((node) => !this.#refused.has(node));
    if (feasible.length === 0) return undefined;
    const totals = this.totals(feasible);
    const highest = totals.reduce((a, b) => Math.max(a, b), 0);
    const winners = feasible.filter((_, index) => totals[index] === highest);
    return winners.length === 1 ? winners[0] : winners[random.integer(winners.length)];
  }

  refusals(): readonly Refusal[] {
    return [...this.#refused.values()].map((refusal) => ({ ...refusal, nodes: 1 }));
  }

  nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  refusal(node: NodeInfo): NodeRefusal | undefined {
    return this.#refused.get(node);
  }

  refusalIf(changed: NodeInfo): NodeRefusal | undefined {
    return refusalIf(this.#podClass, this.#rules, this.#cluster, changed);
  }

  /** Every plugin that refuses a node, not just the first. */
  allRefusals(node: NodeInfo): readonly NodeRefusal[] {
    const own = this.#podClass.filters.flatMap(({ plugin, test }) => {
      const rejection = test(node);
      return rejection ? [{ plugin, rejection }] : [];
    });
    const others = this.#rules.flatMap(({ plugin, topology }) => {
      const rejection = topology.test?.(node.slot);
      return rejection ? [{ plugin, rejection }] : [];
    });
    return [...own, ...others];
  }

  exclude(refused: ReadonlyMap<NodeInfo, NodeRefusal>): void {
    for (const [node, refusal] of refused) this.#refused.set(node, refusal);
  }

  /** The weighted sums of all scores. */
  totals(nodes: readonly NodeInfo[]): readonly number[] {
    const totals = new Array<number>(nodes.length).fill(0);
    for (const { scores } of this.scores(nodes))
      for (let i = 0; i < totals.length; i++) totals[i]! += scores[i]!;
    return totals;
  }

  /** The weighted scores of each plugin that does not find all nodes equal. */
  scores(
    nodes: readonly NodeInfo[],
  ): readonly { readonly plugin: string; readonly scores: readonly number[] }[] {
    const own = this.#podClass.readers.flatMap(({ plugin, input }) => {
      const { scoring, weight = 1 } = plugin;
      const scorer = scoring?.scorer(input, this.#cluster);
      if (!scoring || !scorer) return [];
      const raw = nodes.map(scorer);
      const highest = raw.reduce((a, b) => Math.max(a, b), 0);
      const scores = raw.map((one) => weight * (scoring.normalized?.(one, highest) ?? one));
      return [{ plugin: plugin.name, scores }];
    });
    const slots = Int32Array.from(nodes, ({ slot }) => slot);
    const bySlot = new Int32Array(this.#cluster.nodes.length);
    const others = this.#rules.flatMap(({ plugin, weight, topology }) => {
      if (!topology.rank?.(slots, slots.length, bySlot)) return [];
      return [{ plugin, scores: nodes.map(({ slot }) => weight * bySlot[slot]!) }];
    });
    return [...own, ...others];
  }
}

/** The first filter that refuses the node. */
export function firstRefusal({ filters }: PodClass, node: NodeInfo): NodeRefusal | undefined {
  for (let i = 0; i < filters.length; i++) {
    const { plugin, test } = filters[i]!;
    const rejection = test(node);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

/** The first rule about other Pods that refuses the node of a slot. Asked after the filters, as upstream orders them. */
export function firstRuleRefusal(
  rules: readonly TopologyRule[],
  slot: number,
): NodeRefusal | undefined {
  for (let i = 0; i < rules.length; i++) {
    const { plugin, topology } = rules[i]!;
    const rejection = topology.test?.(slot);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

/** Shows the rules a node as it is not, asks, and shows them the node again as it is. */
export function refusalIf(
  podClass: PodClass,
  rules: readonly TopologyRule[],
  { nodes }: Pick<ClusterFacts, "nodes">,
  changed: NodeInfo,
): NodeRefusal | undefined {
  const own = firstRefusal(podClass, changed);
  if (own || rules.length === 0) return own;
  const { slot } = changed;
  for (const { topology } of rules) topology.look(slot, changed);
  const refusal = firstRuleRefusal(rules, slot);
  for (const { topology } of rules) topology.look(slot, nodes[slot]);
  return refusal;
}
