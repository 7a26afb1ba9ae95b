import { parseTime, type Instant } from "../base/clock.ts";
import type { Pod } from "../api/core/pod.ts";
import { isPodReady, readySince } from "./pod-state.ts";

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/**
 * The Pods in the order in which to give them up.
 *
 * 1. Without a node before with one. 2. Pending, unknown, running. 3. Not ready before ready. 4. Lower deletion cost.
 * 5. On nodes that hold more Pods of the same family. 6. Ready for a shorter time. 7. More restarts. 8. Younger.
 * Times count by the power of two of their age, so that deletions spread over Pods of about one age.
 * @param related Pods of the same family, for rule 5.
 * @spec k8s@1.36 pkg/controller/controller_utils.go ActivePodsWithRanks
 */
export function cheapestToLose(
  pods: readonly Pod[],
  related: readonly Pod[],
  now: Instant,
): readonly Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) {
    if (spec?.nodeName) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const ranks = new Map(pods.map((pod) => [pod, rankOf(pod, perNode, now)]));
  return [...pods].sort((a, b) => compare(ranks.get(a)!, ranks.get(b)!));
}

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** One number for each rule; lower goes first. Ties are broken by uid. */
function rankOf(pod: Pod, perNode: ReadonlyMap<string, number>, now: Instant): (number | string)[] {
  const nodeName = pod.spec?.nodeName ?? "";
  return [
    nodeName === "" ? 0 : 1,
    PHASE_ORDER[pod.status?.phase ?? ""] ?? 0,
    isPodReady(pod) ? 1 : 0,
    deletionCost(pod),
    -(perNode.get(nodeName) ?? 0),
    isPodReady(pod) ? magnitude(readySince(pod), now) : 0,
    -restartsOf(pod),
    magnitude(parseTime(pod.metadata?.creationTimestamp ?? ""), now),
    pod.metadata?.uid ?? "",
  ];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) return -1;
    if (a[i]! > b[i]!) return 1;
  }
  return 0;
}

/** A value that is no 32-bit integer counts as none. @spec helper.GetDeletionCostFromPodAnnotations */
function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[DELETION_COST] ?? "0";
  const cost = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
  return Math.abs(cost) <= 2 ** 31 - 1 ? cost : 0;
}

/** Unknown times count as the youngest. */
function magnitude(since: Instant | undefined, now: Instant): number {
  const ageMs = now - (since ?? NaN);
  return ageMs > 0 ? Math.floor(Math.log2(ageMs)) : -1;
}

function restartsOf(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}
