import type { Random } from "../base/random.ts";
import type { V1Pod } from "../gen/types.ts";
import type { Plugin, Rejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

/** What a cycle decided for one Pod. */
export type Decision =
  | { readonly kind: "bind"; readonly node: NodeInfo; readonly feasible: number }
  /** `plugins`: names of those that refused; changes that can help them wake the Pod. */
  | {
      readonly kind: "unschedulable";
      readonly message: string;
      readonly plugins: ReadonlySet<string>;
    };

/**
 * Below this many nodes all are looked at; above, a share is enough for a good choice.
 *
 * @spec k8s@1.36 schedule_one.go minFeasibleNodesToFind, numFeasibleNodesToFind
 */
const FEASIBLE_MIN = 100;

/**
 * Decides where one Pod goes. Pure: reads the nodes, changes nothing.
 *
 * `start`: index of the first node looked at; moving it on with each cycle spreads the search over large clusters.
 */
export function decide(
  pod: V1Pod,
  nodes: readonly NodeInfo[],
  plugins: readonly Plugin[],
  random: Random,
  start = 0,
): Decision {
  if (nodes.length === 0)
    return {
      kind: "unschedulable",
      message: "no nodes available to schedule pods",
      plugins: new Set(),
    };
  const { feasible, rejections } = filter(pod, nodes, plugins, start);
  if (feasible.length === 0) {
    return {
      kind: "unschedulable",
      message: fitMessage(pod, nodes.length, rejections),
      plugins: new Set(rejections.map(({ plugin }) => plugin)),
    };
  }
  const node = feasible.length === 1 ? feasible[0]! : best(pod, feasible, plugins, random);
  return { kind: "bind", node, feasible: feasible.length };
}

interface Refused extends Rejection {
  readonly plugin: string;
}

interface Filtered {
  readonly feasible: readonly NodeInfo[];
  readonly rejections: readonly Refused[];
}

function filter(
  pod: V1Pod,
  nodes: readonly NodeInfo[],
  plugins: readonly Plugin[],
  start: number,
): Filtered {
  const active = plugins.flatMap((plugin) => {
    const prepared = plugin.filter && plugin.prepareFilter?.(pod);
    return prepared === undefined ? [] : [{ plugin, prepared }];
  });
  const enough = feasibleEnough(nodes.length);
  const feasible: NodeInfo[] = [];
  const rejections: Refused[] = [];
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(start + i) % nodes.length]!;
    const rejection = firstRejection(active, node);
    if (rejection) rejections.push(rejection);
    else feasible.push(node);
  }
  return { feasible, rejections };
}

function firstRejection(
  active: readonly { readonly plugin: Plugin; readonly prepared: unknown }[],
  node: NodeInfo,
): Refused | undefined {
  for (const { plugin, prepared } of active) {
    const rejection = plugin.filter!(prepared, node);
    if (rejection) return { ...rejection, plugin: plugin.name };
  }
  return undefined;
}

/** How many feasible nodes end the search: all of a small cluster, 5 to 50 % of a large one. */
export function feasibleEnough(count: number): number {
  if (count < FEASIBLE_MIN) return count;
  const percent = Math.max(5, 50 - Math.floor(count / 125));
  return Math.max(FEASIBLE_MIN, Math.floor((count * percent) / 100));
}

/** The node with the highest weighted sum; equals are chosen among at random. */
function best(
  pod: V1Pod,
  nodes: readonly NodeInfo[],
  plugins: readonly Plugin[],
  random: Random,
): NodeInfo {
  const totals = new Array<number>(nodes.length).fill(0);
  for (const { score } of plugins) {
    const prepared = score?.prepare(pod, nodes);
    if (!score || prepared === undefined) continue;
    const scores = nodes.map((node) => score.score(prepared, node));
    score.normalize?.(scores);
    for (let i = 0; i < totals.length; i++) totals[i]! += scores[i]! * score.weight;
  }
  const highest = Math.max(...totals);
  const winners = nodes.filter((_, index) => totals[index] === highest);
  return winners[random.integer(winners.length)]!;
}

/**
 * Why a Pod fits nowhere, in the words that people and autoscalers search for.
 *
 * @spec k8s@1.36 scheduler framework FitError.Error; default preemption's message for Pods that can preempt nobody
 */
export function fitMessage(
  pod: V1Pod,
  nodeCount: number,
  rejections: readonly Rejection[],
): string {
  const reasons = counted(rejections.flatMap((rejection) => rejection.reasons));
  const preemption =
    pod.spec?.preemptionPolicy === "Never"
      ? "not eligible due to preemptionPolicy=Never."
      : `0/${nodeCount} nodes are available: ${counted(rejections.map(preemptionReason))}.`;
  return `0/${nodeCount} nodes are available: ${reasons}. no new claims to deallocate, preemption: ${preemption}`;
}

function preemptionReason({ isUnresolvable }: Rejection): string {
  return isUnresolvable
    ? "Preemption is not helpful for scheduling"
    : "No preemption victims found for incoming pod";
}

/** `1 a, 2 b`, sorted as text. */
function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
