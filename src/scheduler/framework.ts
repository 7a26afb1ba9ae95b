import type { V1Node, V1Pod } from "../gen/types.ts";
import type { NodeInfo } from "./node-info.ts";

/**
 * One rule of scheduling. `prepare` is called once per Pod and returns what filter and score need of it; `undefined` means
 * that the plugin has nothing to say about this Pod, and it is skipped.
 *
 * @spec k8s@1.36 scheduler framework: PreFilter, Filter, Score, EnqueueExtensions
 */
export interface Plugin<Prepared = unknown> {
  /** Upstream's name: `NodeResourcesFit`. */
  readonly name: string;
  prepareFilter?(pod: V1Pod): Prepared | undefined;
  /** `undefined`: the node does. Never called when `prepareFilter` returned `undefined`. */
  filter?(prepared: Prepared, node: NodeInfo): Rejection | undefined;
  readonly score?: Scoring<unknown>;
  /** Which changes may make a Pod fit that this plugin refused. Absent: any. */
  canHelp?(change: ClusterChange, pod: V1Pod): boolean;
}

/** How a plugin ranks the nodes that passed. */
export interface Scoring<Prepared> {
  readonly weight: number;
  prepare(pod: V1Pod, nodes: readonly NodeInfo[]): Prepared | undefined;
  /** Any number; `normalize` or the range 0–100 gives it meaning. */
  score(prepared: Prepared, node: NodeInfo): number;
  /** Scales raw scores of all nodes to 0–100, in place. Absent: they are already. */
  normalize?(scores: number[]): void;
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
  | { readonly kind: "node"; readonly node: V1Node; readonly old: V1Node | undefined }
  /** A Pod left a node, or takes less of it now. */
  | { readonly kind: "pod-freed"; readonly pod: V1Pod };

/** Highest score of one plugin for one node. @spec framework.MaxNodeScore */
export const SCORE_MAX = 100;

/** Scales to 0–100 by the highest score; `isReversed`: the highest becomes 0. @spec helper.DefaultNormalizeScore */
export function normalizeByMaximum(scores: number[], isReversed: boolean): void {
  const highest = Math.max(...scores);
  for (let i = 0; i < scores.length; i++) {
    const scaled = highest === 0 ? 0 : Math.floor((SCORE_MAX * scores[i]!) / highest);
    scores[i] =
      highest === 0 ? (isReversed ? SCORE_MAX : 0) : isReversed ? SCORE_MAX - scaled : scaled;
  }
}
