import type { Instant } from "../../../src/base/clock.ts";
import type { V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import { isAhead, nowAfter } from "./ready-since.ts";
import type { Checker } from "./checker.ts";
import { isOver } from "./pod-requests.ts";
import { isEnding, isOf, isReady } from "./replica-sets.ts";
import { ordinalOf } from "./set-order.ts";
import { reachOf } from "./set-reach.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * At rest every StatefulSet has its Pods, each ordinal once, of the newest revision down to its partition, and says so. One that a Pod without
 * its volumes stops has those that it came to, and takes none away.
 */
export const statefulSets: Checker = {
  name: "stateful sets",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const sets = state.list<V1StatefulSet>("apps/statefulsets").filter((set) => !isEnding(set));
    return sets.flatMap((set) =>
      judge(set, state.list<V1Pod>("pods"), nowAfter(changes)).map(
        (problem) => `${keyOf(set)}: ${problem}`,
      ),
    );
  },
};

function judge(set: V1StatefulSet, all: readonly V1Pod[], now: Instant): readonly string[] {
  const { spec, status, metadata } = set;
  if ((status?.observedGeneration ?? 0) !== metadata?.generation)
    return [`generation ${metadata?.generation} was not observed`];
  const { replicas = 1, ordinals, updateStrategy, podManagementPolicy } = spec ?? {};
  const start = ordinals?.start ?? 0;
  const names = Array.from({ length: replicas }, (_, i) => `${keyOf(set)}-${start + i}`);
  const pods = all.filter((pod) => isOf(pod, set));
  const isHindered = all.some((pod) => names.includes(keyOf(pod)) && !isOf(pod, set));
  const isLate = pods.some((pod) => isAhead(pod, now));
  const isWhole = pods.every((pod) => isReady(pod) && !isOver(pod)) && !isLate;
  const ready = pods.filter(isReady).length;
  const counted = [
    ...differ("status.replicas", status?.replicas, pods.length),
    ...differ("status.readyReplicas", status?.readyReplicas, ready),
    ...(isLate ? [] : differ("status.availableReplicas", status?.availableReplicas, ready)),
  ];
  if (isHindered || (!isWhole && podManagementPolicy !== "Parallel")) return counted;
  const present = pods.map(keyOf);
  const { last, isStopped } = reachOf(set, pods, now);
  const reached = isStopped ? names.slice(0, last - start + 1) : names;
  const missing = reached.filter((name) => !present.includes(name));
  if (isStopped) return [...counted, ...missing.map((name) => `${name} is missing`)];
  const surplus = present.filter((name) => !names.includes(name));
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  const isRolled = updateStrategy?.type !== "OnDelete" && isWhole;
  const old = pods.filter(
    (pod) =>
      ordinalOf(pod) - start >= partition &&
      pod.metadata?.labels?.["controller-revision-hash"] !== status?.updateRevision,
  );
  return [
    ...counted,
    ...missing.map((name) => `${name} is missing`),
    ...surplus.map((name) => `${name} is too much`),
    ...(isRolled ? old.map((pod) => `${keyOf(pod)} is of an old revision`) : []),
  ];
}

function differ(what: string, is = 0, due = 0): readonly string[] {
  return is === due ? [] : [`${what} ${is}, due ${due}`];
}
