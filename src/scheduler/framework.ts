import type { V1LabelSelector, V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import type { Claims, StorageChange } from "./claims.ts";
import type { Demand } from "./demand.ts";
import type { Domains, Reach } from "./domains.ts";
import type { NodeDifference, NodeInfo } from "./node-info.ts";

/**
 * One rule of scheduling.
 *
 * It knows of a Pod only what `read` returns, as JSON. So Pods for which all plugins read the same are one *class*: what was
 * found out about a node for one of them holds for all, until the node changes.
 * @spec k8s@1.36 scheduler framework: PreFilter, Filter, Score, Sign, EnqueueExtensions
 */
export interface Plugin<Input = unknown> {
  /** Upstream's name: `NodeResourcesFit`. */
  readonly name: string;
  /** `undefined`: it has nothing to say about such a Pod, and is skipped. Must be JSON: equal text means an equal Pod. */
  read(spec: V1PodSpec, pod: V1Pod, around: Around): Input | undefined;
  /** How much its score counts. Default 1. */
  readonly weight?: number;
  /** Why no node can do, as things are; `undefined`: nodes are asked. Asked anew for each decision. */
  gate?(input: Input, cluster: ClusterFacts): string | undefined;
  /** Names of the only nodes that can do; `undefined`: any. */
  candidates?(input: Input): readonly string[] | undefined;
  /** A test of nodes: reads nothing but the node, and returns one object for each different outcome. */
  filter?(input: Input): NodeTest | undefined;
  readonly scoring?: Scoring<Input>;
  /** For a rule about the Pods of other nodes. `undefined`: it has nothing to say about the class. */
  topology?(input: Input, cluster: ClusterFacts): Topology | undefined;
  /** Which changes may make a Pod fit that this plugin refused. Absent: any. */
  canHelp?(change: ClusterChange, input: Input): boolean;
  /** True: `canHelp` may say yes to a Pod that was placed or has other labels. Such changes are many, and few are asked. */
  readonly heedsPlacements?: boolean;
}

/** What a plugin may read of a Pod besides its spec: no more than it needs, so that many Pods are one class. */
export interface Around {
  /** The Pod's labels that affinity terms of placed Pods look at; `undefined`: there are no terms. */
  relevantLabels(pod: V1Pod): Readonly<Record<string, string>> | undefined;
  /** What selects the Pods that it is to be spread with. */
  spreadSelector(pod: V1Pod): V1LabelSelector | undefined;
}

/**
 * What a rule knows of where Pods are. Belongs to one class; folded from nodes that it is shown one by one, so a changed node
 * costs its own difference. Nodes are told apart by their slots.
 */
export interface Topology {
  /** Takes in what a slot holds now. @returns for whom `test` or `rank` may say something else than before. */
  look(slot: number, node: NodeInfo | undefined): Reach;
  /** One object for each different outcome. Absent: it refuses no node. */
  test?(slot: number): Rejection | undefined;
  /**
   * Scores 0–100 of the nodes that passed, the first `count` of `slots`, into `scores` by slot.
   * @returns false: all are equal to it.
   */
  rank?(slots: Int32Array, count: number, scores: Int32Array): boolean;
  /** True: it read something of the cluster that is another now, and must be made anew. */
  isStale?(): boolean;
}

/** `undefined`: the node does. */
export type NodeTest = (node: NodeInfo) => Rejection | undefined;

/** How a plugin ranks the nodes that passed. */
export interface Scoring<Input> {
  /** `undefined`: all nodes are equal to it. The score reads nothing but the node: a whole number, not negative. */
  scorer(input: Input, cluster: ClusterFacts): NodeScorer | undefined;
  /** What `scorer` reads of the cluster: as long as it is the same, scores of unchanged nodes stay. */
  facts?(input: Input, cluster: ClusterFacts): string;
  /** From the raw score and the highest among the nodes that passed to 0–100. Absent: scores are that already. */
  normalized?(raw: number, highest: number): number;
}

/** The raw score of one node. */
export type NodeScorer = (node: NodeInfo) => number;

/** What scores may read of the cluster as a whole. */
export interface ClusterFacts {
  readonly nodes: readonly NodeInfo[];
  /** How many nodes have an image of that name. */
  nodesWithImage(name: string): number;
  /** Numbers of topology domains. */
  readonly domains: Domains;
  namespaceLabels(name: string): Readonly<Record<string, string>>;
  readonly claims: Claims;
  /** Grows with every change of a namespace's labels. */
  readonly namespacesVersion: number;
}

/** Why a node does not do for a Pod. */
export interface Rejection {
  /** Upstream's words, counted over nodes in the message: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** No eviction of Pods could change it. */
  readonly isUnresolvable: boolean;
}

/** Something in the cluster changed; what waiting Pods are tested against. */
export type ClusterChange =
  /** `difference` is absent when the node is new. */
  | {
      readonly kind: "node";
      readonly node: V1Node;
      readonly old: V1Node | undefined;
      readonly difference: NodeDifference | undefined;
    }
  | { readonly kind: "node-gone"; readonly node: V1Node }
  | StorageChange
  /** A Pod left its node, or takes less of it; what it had taken. */
  | { readonly kind: "pod-freed"; readonly demand: Demand; readonly pod: V1Pod }
  /** A Pod has a node now. */
  | { readonly kind: "pod-placed"; readonly pod: V1Pod }
  /** A placed Pod has other labels, or is about to end. */
  | { readonly kind: "pod-changed"; readonly pod: V1Pod; readonly old: V1Pod };

/** Highest score of one plugin for one node. @spec framework.MaxNodeScore */
export const SCORE_MAX = 100;

/** Scales to 0–100 by the highest score. @spec helper.DefaultNormalizeScore */
export function scaledUp(raw: number, highest: number): number {
  return highest === 0 ? 0 : Math.floor((SCORE_MAX * raw) / highest);
}

/** The same, reversed: the highest becomes 0. @spec helper.DefaultNormalizeScore */
export function scaledDown(raw: number, highest: number): number {
  return SCORE_MAX - scaledUp(raw, highest);
}
