import { labelSelectorOf, type LabelSelector } from "../../api/machinery/label-selector.ts";
import type {
  V1LabelSelector,
  V1Node,
  V1Pod,
  V1PodSpec,
  V1Toleration,
  V1TopologySpreadConstraint,
} from "../../gen/types.ts";
import type { Around, ClusterChange, ClusterFacts, Plugin, Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { allowedNodes, isAllowed, type AllowedNodes } from "./node-affinity.ts";
import { SpreadFilter } from "./spread-filter.ts";
import { SpreadRank } from "./spread-rank.ts";
import { repels } from "./taint-toleration.ts";

/** One constraint as the plugin reads it of a Pod. */
export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly isHard: boolean;
  readonly selector: V1LabelSelector | null;
  readonly matchesItself: boolean;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** What the plugin reads of a Pod. */
export interface SpreadInput {
  readonly namespace: string;
  readonly constraints: readonly Constraint[];
  /** False for the built-in defaults: nodes without some topology key are scored by the others. */
  readonly needsAllKeys: boolean;
  readonly nodes: AllowedNodes | null;
  readonly tolerations: readonly V1Toleration[];
}

/** Settings of the plugin. @spec k8s@1.36 kubescheduler.config.k8s.io/v1 PodTopologySpreadArgs */
export interface SpreadSettings {
  /** Of Pods that have no constraints of their own. */
  readonly defaults: readonly V1TopologySpreadConstraint[];
  /** The defaults are the built-in ones. */
  readonly isSystem: boolean;
}

/** Evenly over nodes and zones, as far as possible. @spec k8s@1.36 podtopologyspread systemDefaultConstraints */
export const SYSTEM_DEFAULTS: SpreadSettings = {
  defaults: [
    { topologyKey: "kubernetes.io/hostname", maxSkew: 3, whenUnsatisfiable: "ScheduleAnyway" },
    { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, whenUnsatisfiable: "ScheduleAnyway" },
  ],
  isSystem: true,
};

/** Pods that spread evenly over domains. @spec k8s@1.36 plugins/podtopologyspread */
export function podTopologySpread(settings: SpreadSettings = SYSTEM_DEFAULTS): Plugin<SpreadInput> {
  return {
    name: "PodTopologySpread",
    weight: 2,
    read: (spec, pod, around) => read(settings, spec, pod, around),
    topology: (input, cluster) => topologyOf(input, cluster),
    heedsPlacements: true,
    canHelp,
  };
}

function read(
  { defaults, isSystem }: SpreadSettings,
  spec: V1PodSpec,
  pod: V1Pod,
  around: Around,
): SpreadInput | undefined {
  const own = spec.topologySpreadConstraints ?? [];
  const constraints =
    own.length > 0
      ? own.map((one) => constraintOf(one, withLabelKeys(one, pod), pod))
      : defaultsFor(defaults, pod, around);
  if (constraints.length === 0) return undefined;
  const readsNodes = constraints.some(({ honorsAffinity }) => honorsAffinity);
  const readsTaints = constraints.some(({ honorsTaints }) => honorsTaints);
  return {
    namespace: pod.metadata?.namespace ?? "",
    constraints,
    needsAllKeys: own.length > 0 || !isSystem,
    nodes: (readsNodes && allowedNodes(spec)) || null,
    tolerations: (readsTaints && spec.tolerations) || [],
  };
}

function defaultsFor(
  defaults: readonly V1TopologySpreadConstraint[],
  pod: V1Pod,
  around: Around,
): readonly Constraint[] {
  const selector = defaults.length > 0 ? around.spreadSelector(pod) : undefined;
  return selector ? defaults.map((one) => constraintOf(one, selector, pod)) : [];
}

function constraintOf(
  constraint: V1TopologySpreadConstraint,
  selector: V1LabelSelector | null,
  pod: V1Pod,
): Constraint {
  const { topologyKey, maxSkew, minDomains = 1, whenUnsatisfiable } = constraint;
  return {
    topologyKey,
    maxSkew,
    minDomains,
    isHard: whenUnsatisfiable === "DoNotSchedule",
    selector,
    matchesItself: labelSelectorOf(selector ?? undefined).matches(pod.metadata?.labels),
    honorsAffinity: constraint.nodeAffinityPolicy !== "Ignore",
    honorsTaints: constraint.nodeTaintsPolicy === "Honor",
  };
}

/** The selector with the Pod's own values of `matchLabelKeys`, unless the server has put them there. */
function withLabelKeys(
  { labelSelector, matchLabelKeys = [] }: V1TopologySpreadConstraint,
  { metadata }: V1Pod,
): V1LabelSelector | null {
  if (!labelSelector) return null;
  const known = labelSelector.matchExpressions ?? [];
  const added = matchLabelKeys.flatMap((key) => {
    const value = metadata?.labels?.[key];
    const isThere = known.some((one) => one.key === key && one.operator === "In");
    return value === undefined || isThere ? [] : [{ key, operator: "In", values: [value] }];
  });
  return added.length === 0
    ? labelSelector
    : { ...labelSelector, matchExpressions: [...known, ...added] };
}

/** A constraint with what it does to nodes and Pods. */
export interface CompiledConstraint extends Constraint {
  /** How many Pods of the node count. */
  matching(node: NodeInfo): number;
  /** The node's Pods count, whatever its labels. */
  includes(node: NodeInfo): boolean;
}

function topologyOf(input: SpreadInput, cluster: ClusterFacts): Topology {
  const compiled = input.constraints.map((one) => compile(one, input));
  const hard = compiled.filter(({ isHard }) => isHard);
  const soft = compiled.filter(({ isHard }) => !isHard);
  const filter = hard.length > 0 ? new SpreadFilter(hard, cluster) : undefined;
  const rank = soft.length > 0 ? new SpreadRank(soft, input.needsAllKeys, cluster) : undefined;
  if (!filter || !rank) return (filter ?? rank)!;
  return {
    look(slot, node) {
      const [a, b] = [filter.look(slot, node), rank.look(slot, node)];
      return a > b ? a : b;
    },
    test: (slot) => filter.test(slot),
    rank: (slots, count, scores) => rank.rank(slots, count, scores),
  };
}

function compile(constraint: Constraint, input: SpreadInput): CompiledConstraint {
  const selector = labelSelectorOf(constraint.selector ?? undefined);
  const { namespace, nodes, tolerations } = input;
  return {
    ...constraint,
    matching: (node) => countMatching(node, namespace, selector),
    includes: ({ node, taints }) =>
      (!constraint.honorsAffinity || nodes === null || isAllowed(nodes, node)) &&
      (!constraint.honorsTaints || !repels(taints, tolerations)),
  };
}

/** An empty selector counts nothing, and Pods that are about to end count no more. @spec countPodsMatchSelector */
function countMatching({ pods }: NodeInfo, namespace: string, selector: LabelSelector): number {
  if (selector.isEverything) return 0;
  let count = 0;
  for (const { pod } of pods.values()) {
    const { metadata } = pod;
    if (metadata?.deletionTimestamp || (metadata?.namespace ?? "") !== namespace) continue;
    if (selector.matches(metadata?.labels)) count++;
  }
  return count;
}

/** @spec k8s@1.36 podtopologyspread isSchedulableAfterPodChange, isSchedulableAfterNodeChange */
function canHelp(change: ClusterChange, input: SpreadInput): boolean {
  switch (change.kind) {
    case "node":
    case "node-gone":
      return nodeCanHelp(change, input);
    case "storage":
      return false;
    case "pod-changed":
      return input.constraints.some(
        (constraint) =>
          isCounted(constraint, change.pod, input) !== isCounted(constraint, change.old, input),
      );
    default:
      return input.constraints.some(({ selector }) => {
        const { metadata } = change.pod;
        const isHere = (metadata?.namespace ?? "") === input.namespace;
        return isHere && selectorOf(selector).matches(metadata?.labels);
      });
  }
}

function isCounted(
  { selector }: Constraint,
  { metadata }: V1Pod,
  { namespace }: SpreadInput,
): boolean {
  return (
    !metadata?.deletionTimestamp &&
    (metadata?.namespace ?? "") === namespace &&
    selectorOf(selector).matches(metadata?.labels)
  );
}

/** Nodes without all topology keys are counted nowhere, and take no Pod. */
function nodeCanHelp(
  change: Extract<ClusterChange, { kind: "node" | "node-gone" }>,
  { constraints, nodes }: SpreadInput,
): boolean {
  const keys = constraints.flatMap(({ isHard, topologyKey }) => (isHard ? [topologyKey] : []));
  const valueOf = ({ metadata }: V1Node, key: string): string | undefined =>
    metadata?.labels?.[key];
  const hasAll = (node: V1Node): boolean => keys.every((key) => valueOf(node, key) !== undefined);
  if (change.kind === "node-gone" || !change.old || !change.difference) return hasAll(change.node);
  const { old, node, difference } = change;
  if (difference.taints && hasAll(node)) return true;
  if (!difference.labels) return false;
  // It may be counted or not by labels that are no topology keys.
  if (nodes !== null) return hasAll(node) || hasAll(old);
  return (
    hasAll(node) !== hasAll(old) ||
    (hasAll(node) && keys.some((key) => valueOf(node, key) !== valueOf(old, key)))
  );
}

const selectors = new WeakMap<V1LabelSelector, LabelSelector>();

function selectorOf(selector: V1LabelSelector | null): LabelSelector {
  if (!selector) return labelSelectorOf(undefined);
  let known = selectors.get(selector);
  if (!known) selectors.set(selector, (known = labelSelectorOf(selector)));
  return known;
}
