import type { V1Pod } from "../gen/types.ts";
import type { Rejection } from "./framework.ts";

/** A reason for which nodes were refused, the plugin that gave it, and on how many nodes. */
export interface Refusal {
  readonly plugin: string;
  readonly rejection: Rejection;
  readonly nodes: number;
}

/**
 * Why a Pod fits nowhere, in the words that people and autoscalers search for.
 *
 * @spec k8s@1.36 scheduler framework FitError.Error; default preemption's message for Pods that can preempt nobody
 */
export function fitMessage(pod: V1Pod, nodeCount: number, refusals: readonly Refusal[]): string {
  const reasons = counted(
    refusals.flatMap(({ rejection, nodes }) =>
      rejection.reasons.map((reason) => [reason, nodes] as const),
    ),
  );
  const victims = refusals.map(
    ({ rejection, nodes }) => [preemptionReason(rejection), nodes] as const,
  );
  const preemption =
    pod.spec?.preemptionPolicy === "Never"
      ? "not eligible due to preemptionPolicy=Never."
      : `0/${nodeCount} nodes are available: ${counted(victims)}.`;
  return `0/${nodeCount} nodes are available: ${reasons}. no new claims to deallocate, preemption: ${preemption}`;
}

function preemptionReason({ isUnresolvable }: Rejection): string {
  return isUnresolvable
    ? "Preemption is not helpful for scheduling"
    : "No preemption victims found for incoming pod";
}

/** `1 a, 2 b`, sorted as text. */
function counted(reasons: readonly (readonly [string, number])[]): string {
  const counts = new Map<string, number>();
  for (const [reason, nodes] of reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
