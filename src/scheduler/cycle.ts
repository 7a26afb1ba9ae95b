import type { Random } from "../base/random.ts";
import type { V1Pod, V1PodDisruptionBudget } from "../gen/types.ts";
import { fitMessage, NO_CLAIMS, type Refusal } from "./fit-message.ts";
import type { Rejection } from "./framework.ts";
import { FreshLook, type Look, type NodeRefusal, type Nodes } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominations } from "./nominations.ts";
import type { PodClass } from "./pod-class.ts";
import { planPreemption } from "./preemption.ts";
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
): Decision {
  if (snapshot.nodes.length === 0) return NO_NODES;
  return decideBy(new FreshLook(podClass, snapshot), pod, podClass, snapshot, random);
}

/** Upstream's words for a cluster without nodes; any change may help. */
export const NO_NODES: Decision = {
  kind: "unschedulable",
  message: "no nodes available to schedule pods",
  plugins: new Set(),
  losesNomination: false,
};

/**
 * Decides by what a class makes of the nodes.
 *
 * 1. The node that the Pod was nominated for, if it does now.
 * 2. The best of those that do; nodes that are kept for others of at least its priority must have room for them too.
 * 3. A node that will do without some Pods of lower priority.
 */
export function decideBy(
  look: Look,
  pod: V1Pod,
  podClass: PodClass,
  snapshot: Snapshot,
  random: Random,
): Decision {
  const { nominations } = snapshot;
  if (nominations.size > 0) {
    const node = nominated(look, pod, snapshot);
    if (node) return { kind: "bind", node, feasible: 1 };
    look.exclude(keptForOthers(look, pod, snapshot));
  }
  const node = look.pick(random);
  if (node) return { kind: "bind", node, feasible: look.feasible };
  return unschedulable(look, pod, podClass, snapshot, random);
}

/** The Pod's own nominated node, when it does. @spec schedule_one.go evaluateNominatedNode */
function nominated(look: Look, pod: V1Pod, snapshot: Snapshot): NodeInfo | undefined {
  const name = snapshot.nominations.nodeOf(pod.metadata?.uid ?? "");
  const node = name === undefined ? undefined : snapshot.node(name);
  if (!node || !look.nodes().includes(node) || look.refusal(node)) return undefined;
  return refusalWithNominated(look, pod, node, snapshot.nominations) ? undefined : node;
}

/** Nodes that would do, but not beside the Pods that they are kept for. */
function keptForOthers(
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

/** The decision that nothing fits, why, and what preemption can do. */
function unschedulable(
  look: Look,
  pod: V1Pod,
  { candidates }: PodClass,
  snapshot: Snapshot,
  random: Random,
): Decision {
  const { nodes } = snapshot;
  const refusals = look.refusals();
  const looked = refusals.reduce((sum, refusal) => sum + refusal.nodes, 0);
  const plugins = new Set(refusals.map(({ plugin }) => plugin));
  const all: Refusal[] = [...refusals];
  if (candidates && looked < nodes.length) {
    for (const plugin of candidates.plugins) plugins.add(plugin);
    const rejection = notNamed(candidates.plugins);
    all.push({ plugin: candidates.plugins[0]!, rejection, nodes: nodes.length - looked });
  }
  const preemption = planPreemption(look, pod, snapshot, random);
  if (preemption.kind === "preempt") {
    const { node, victims } = preemption;
    return { kind: "preempt", message: fitMessage(nodes.length, all), plugins, node, victims };
  }
  const after = `${NO_CLAIMS}, preemption: ${preemption.why}`;
  const message = fitMessage(nodes.length, all, after);
  const { losesNomination } = preemption;
  return { kind: "unschedulable", message, plugins, losesNomination };
}

/** Of nodes that were not looked at, because plugins named others. @spec schedule_one.go SetAbsentNodesStatus */
function notNamed(plugins: readonly string[]): Rejection {
  const text = `node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`;
  return { reasons: [text], isUnresolvable: true };
}
