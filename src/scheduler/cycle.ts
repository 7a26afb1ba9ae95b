import type { Random } from "../base/random.ts";
import type { V1Pod } from "../gen/types.ts";
import { fitMessage, type Refusal } from "./fit-message.ts";
import type { ClusterFacts, Rejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass, TopologyRule } from "./pod-class.ts";

/** What a cycle decided for one Pod. */
export type Decision =
  | { readonly kind: "bind"; readonly node: NodeInfo; readonly feasible: number }
  /** `plugins`: names of those that refused; changes that can help them wake the Pod. */
  | {
      readonly kind: "unschedulable";
      readonly message: string;
      readonly plugins: ReadonlySet<string>;
    };

/** The nodes and what scores read of all of them. */
export interface Snapshot extends ClusterFacts {
  node(name: string): NodeInfo | undefined;
}

/**
 * Decides where one Pod goes. Pure: reads the snapshot, changes nothing.
 *
 * Every node is looked at: upstream samples (`percentageOfNodesToScore`) because it scores anew each time, and
 * {@link ClassScores} comes to the same decisions from what is already known. This is the definition of both.
 * @spec k8s@1.36 schedule_one.go schedulePod with percentageOfNodesToScore 100
 */
export function decide(
  pod: V1Pod,
  podClass: PodClass,
  snapshot: Snapshot,
  random: Random,
): Decision {
  if (snapshot.nodes.length === 0) return NO_NODES;
  const rules = lookedRound(podClass, snapshot);
  const looked = candidateNodes(podClass, snapshot);
  const feasible: NodeInfo[] = [];
  const refused: Refusal[] = [];
  for (const node of looked) {
    const refusal = firstRefusal(podClass, node) ?? firstTopologyRefusal(rules, node.slot);
    if (refusal) refused.push({ ...refusal, nodes: 1 });
    else feasible.push(node);
  }
  if (feasible.length === 0) return unschedulable(pod, podClass, snapshot, refused);
  const node = best(podClass, feasible, snapshot, rules, random);
  return { kind: "bind", node, feasible: feasible.length };
}

/** Upstream's words for a cluster without nodes; any change may help. */
export const NO_NODES: Decision = {
  kind: "unschedulable",
  message: "no nodes available to schedule pods",
  plugins: new Set(),
};

/** The decision that nothing fits, and why. */
export function unschedulable(
  pod: V1Pod,
  { candidates }: PodClass,
  { nodes }: Snapshot,
  refusals: readonly Refusal[],
): Decision {
  const looked = refusals.reduce((sum, refusal) => sum + refusal.nodes, 0);
  const plugins = new Set(refusals.map(({ plugin }) => plugin));
  if (!candidates || looked === nodes.length)
    return { kind: "unschedulable", message: fitMessage(pod, nodes.length, refusals), plugins };
  for (const plugin of candidates.plugins) plugins.add(plugin);
  const absent = {
    plugin: candidates.plugins[0]!,
    rejection: notNamed(candidates.plugins),
    nodes: nodes.length - looked,
  };
  const message = fitMessage(pod, nodes.length, [...refusals, absent]);
  return { kind: "unschedulable", message, plugins };
}

/** Of nodes that were not looked at, because plugins named others. @spec schedule_one.go SetAbsentNodesStatus */
function notNamed(plugins: readonly string[]): Rejection {
  const text = `node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`;
  return { reasons: [text], isUnresolvable: true };
}

function candidateNodes({ candidates }: PodClass, snapshot: Snapshot): readonly NodeInfo[] {
  if (!candidates) return snapshot.nodes;
  return candidates.names.flatMap((name) => snapshot.node(name) ?? []);
}

/** The rules about other Pods, having seen all nodes. */
function lookedRound(podClass: PodClass, snapshot: Snapshot): readonly TopologyRule[] {
  const rules = podClass.topologies(snapshot);
  for (const { topology } of rules)
    for (const node of snapshot.nodes) topology.look(node.slot, node);
  return rules;
}

/** The first rule about other Pods that refuses the node of a slot. Asked after the filters, as upstream orders them. */
export function firstTopologyRefusal(
  rules: readonly TopologyRule[],
  slot: number,
): { readonly plugin: string; readonly rejection: Rejection } | undefined {
  for (let i = 0; i < rules.length; i++) {
    const { plugin, topology } = rules[i]!;
    const rejection = topology.test?.(slot);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

/** The first filter that refuses the node. */
export function firstRefusal(
  { filters }: PodClass,
  node: NodeInfo,
): { readonly plugin: string; readonly rejection: Rejection } | undefined {
  for (let i = 0; i < filters.length; i++) {
    const { plugin, test } = filters[i]!;
    const rejection = test(node);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

/** The node with the highest weighted sum; equals are chosen among at random. */
function best(
  { readers }: PodClass,
  nodes: readonly NodeInfo[],
  snapshot: Snapshot,
  rules: readonly TopologyRule[],
  random: Random,
): NodeInfo {
  const totals = new Array<number>(nodes.length).fill(0);
  for (const { plugin, input } of readers) {
    const { scoring } = plugin;
    const scorer = scoring?.scorer(input, snapshot);
    if (!scoring || !scorer) continue;
    const scores = nodes.map(scorer);
    const highest = scores.reduce((a, b) => Math.max(a, b), 0);
    for (let i = 0; i < totals.length; i++) {
      const score = scoring.normalized?.(scores[i]!, highest) ?? scores[i]!;
      totals[i]! += score * (plugin.weight ?? 1);
    }
  }
  const slots = Int32Array.from(nodes, ({ slot }) => slot);
  const scores = new Int32Array(snapshot.nodes.length);
  for (const { topology, weight } of rules)
    if (topology.rank?.(slots, slots.length, scores))
      for (let i = 0; i < totals.length; i++) totals[i]! += weight * scores[slots[i]!]!;
  const highest = totals.reduce((a, b) => Math.max(a, b), 0);
  const winners = nodes.filter((_, index) => totals[index] === highest);
  return winners.length === 1 ? winners[0]! : winners[random.integer(winners.length)]!;
}
