import type { Random } from "../base/random.ts";
import type { V1Pod, V1PodDisruptionBudget } from "../gen/types.ts";
import { fitMessage, NO_CLAIMS, type Refusal } from "./fit-message.ts";
import type { Rejection } from "./framework.ts";
import { FreshLook, type Look, type NodeRefusal, type Nodes } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominations } from "./nominations.ts";
import type { PodClass } from "./pod-class.ts";
import { planPreemption, type Preemption } from "./preemption.ts";
import { DEFAULT_PREEMPTION, type PreemptionSettings } from "./profile.ts";
import { refusalWithNominated } from "./nominated.ts";

/** What a cycle decided for one Pod. */
export type Decision =
  | { readonly kind: "bind"; readonly node: NodeInfo; readonly feasible: number }
  /** `plugins`: names of those that refused; changes that can help them wake the Pod. */
  | {
      readonly kind: "unschedulable";
      readonly message: string;
      readonly plugins: ReadonlySet<string>;
      /** The node that it was nominated for does not become free for it. */
      readonly losesNomination: boolean;
    }
  /** It fits nowhere now, but on `node` once the victims are gone. */
  | {
      readonly kind: "preempt";
      readonly message: string;
      readonly plugins: ReadonlySet<string>;
      readonly node: NodeInfo;
      readonly victims: readonly V1Pod[];
    };

/** What decisions read. */
export interface Snapshot extends Nodes {
  readonly nominations: Nominations;
  readonly budgets: readonly V1PodDisruptionBudget[];
  /** True when some placed Pod has a lower priority. */
  hasLower(priority: number): boolean;
}

/**
 * Decides where one Pod goes. Pure: reads the snapshot, changes nothing.
 *
 * This is the definition, which looks at every node; `Decider` comes to the same from what is remembered.
 * @spec k8s@1.36 schedule_one.go schedulePod with percentageOfNodesToScore 100
 */
export function decide(
  pod: V1Pod,
  podClass: PodClass,
  snapshot: Snapshot,
  random: Random,
  settings: PreemptionSettings | null = DEFAULT_PREEMPTION,
): Decision {
  if (snapshot.nodes.length === 0) return NO_NODES;
  const closed = closedTo(podClass, snapshot);
  if (closed) return closed;
  const look = new FreshLook(podClass, snapshot);
  return decideBy(look, pod, podClass, snapshot, random, settings);
}

/** Upstream's words for a cluster without nodes; any change may help. */
export const NO_NODES: Decision = {
  kind: "unschedulable",
  message: "no nodes available to schedule pods",
  plugins: new Set(),
  losesNomination: false,
};

/** What upstream's plugin of dynamic resources says of a Pod that an earlier one has refused: its own state is missing. */
const NOT_REACHED = "not found";

/** The decision for a Pod that no node is asked about. @spec schedule_one.go: a plugin's PreFilter refuses all nodes */
export function closedTo(podClass: PodClass, snapshot: Snapshot): Decision | undefined {
  for (const { plugin, input } of podClass.readers) {
    const why = plugin.gate?.(input, snapshot);
    if (why === undefined) continue;
    const none = `0/${snapshot.nodes.length} nodes are available`;
    return {
      kind: "unschedulable",
      message: `${none}: ${why}. ${NOT_REACHED}`,
      plugins: new Set([plugin.name]),
      losesNomination: true,
    };
  }
  return undefined;
}

/**
 * Decides by what a class makes of the nodes.
 *
 * 1. The node that the Pod was nominated for, if it does now.
 * 2. The best of those that do; nodes that are kept for others of at least its priority must have room for them too.
 * 3. A node that will do without some Pods of lower priority, if the profile preempts at all.
 */
export function decideBy(
  look: Look,
  pod: V1Pod,
  podClass: PodClass,
  snapshot: Snapshot,
  random: Random,
  settings: PreemptionSettings | null,
): Decision {
  const { nominations } = snapshot;
  if (nominations.size > 0) {
    const node = nominated(look, pod, snapshot);
    if (node) return { kind: "bind", node, feasible: 1 };
    look.exclude(keptForOthers(look, pod, snapshot));
  }
  const node = look.pick(random);
  if (node) return { kind: "bind", node, feasible: look.feasible };
  const preemption = settings ? planPreemption(look, pod, snapshot, random, settings) : undefined;
  return unschedulable(look, podClass, snapshot, preemption);
}

/** The Pod's own nominated node, when it does. @spec schedule_one.go evaluateNominatedNode */
function nominated(look: Look, pod: V1Pod, snapshot: Snapshot): NodeInfo | undefined {
  const name = snapshot.nominations.nodeOf(pod.metadata?.uid ?? "");
  const node = name === undefined ? undefined : snapshot.node(name);
  if (!node || !look.nodes().includes(node) || look.refusal(node)) return undefined;
  return refusalWithNominated(look, pod, node, snapshot.nominations) ? undefined : node;
}

/** Nodes that would do, but not beside the Pods that they are kept for. */
export function keptForOthers(
  look: Look,
  pod: V1Pod,
  snapshot: Snapshot,
): ReadonlyMap<NodeInfo, NodeRefusal> {
  const kept = new Map<NodeInfo, NodeRefusal>();
  for (const name of snapshot.nominations.nodes()) {
    const node = snapshot.node(name);
    if (!node || look.refusal(node)) continue;
    const refusal = refusalWithNominated(look, pod, node, snapshot.nominations);
    if (refusal) kept.set(node, refusal);
  }
  return kept;
}

/** The decision that nothing fits, why, and what preemption came to. */
export function unschedulable(
  look: Look,
  { candidates }: PodClass,
  { nodes }: Snapshot,
  preemption: Preemption | undefined,
): Decision {
  const refusals = look.refusals();
  const looked = refusals.reduce((sum, refusal) => sum + refusal.nodes, 0);
  const plugins = new Set(refusals.map(({ plugin }) => plugin));
  const all: Refusal[] = [...refusals];
  if (candidates && looked < nodes.length) {
    for (const plugin of candidates.plugins) plugins.add(plugin);
    const rejection = notNamed(candidates.plugins);
    all.push({ plugin: candidates.plugins[0]!, rejection, nodes: nodes.length - looked });
  }
  if (preemption?.kind === "preempt") {
    const { node, victims } = preemption;
    return { kind: "preempt", message: fitMessage(nodes.length, all), plugins, node, victims };
  }
  const after = preemption ? `${NO_CLAIMS}, preemption: ${preemption.why}` : NO_CLAIMS;
  const message = fitMessage(nodes.length, all, after);
  const losesNomination = preemption?.losesNomination ?? false;
  return { kind: "unschedulable", message, plugins, losesNomination };
}

/** Of nodes that were not looked at, because plugins named others. @spec schedule_one.go SetAbsentNodesStatus */
function notNamed(plugins: readonly string[]): Rejection {
  const text = `node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`;
  return { reasons: [text], isUnresolvable: true };
}
