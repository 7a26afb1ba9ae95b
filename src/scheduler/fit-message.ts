import type { Rejection } from "./framework.ts";

/** A reason for which nodes were refused, the plugin that gave it, and on how many nodes. */
export interface Refusal {
  readonly plugin: string;
  readonly rejection: Rejection;
  readonly nodes: number;
}

/** What upstream's plugin of dynamic resources says of every Pod without claims, before preemption has its say. */
export const NO_CLAIMS = "no new claims to deallocate";

/**
 * Why a Pod fits nowhere, in the words that people and autoscalers search for.
 *
 * `after`: what the attempts to make room came to.
 * @spec k8s@1.36 scheduler framework FitError.Error
 */
export function fitMessage(
  nodeCount: number,
  refusals: readonly Refusal[],
  after?: string,
): string {
  const counts = new Map<string, number>();
  for (const { rejection, nodes } of refusals)
    for (const reason of rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  const head = `0/${nodeCount} nodes are available: ${reasons.join(", ")}.`;
  return after === undefined ? head : `${head} ${after}`;
}
