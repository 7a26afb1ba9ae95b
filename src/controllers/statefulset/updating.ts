import type { Pod } from "../../api/core/pod.ts";
import { scaledValue } from "../../reconciler/int-or-percent.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import { isAvailable, replicasOf, revisionOfPod, startOf } from "./identity.ts";
import type { World } from "./scaling.ts";
import { isOrdered } from "./scaling.ts";
import { deletePod, type Item } from "./step.ts";

/**
 * Deletes of Pods of another revision than the newest, highest ordinal first, down to the partition.
 *
 * One at a time, and the next once the one before is available; with `maxUnavailable` as many as that leaves.
 * @spec k8s@1.36 pkg/controller/statefulset updateStatefulSet, updateStatefulSetAfterInvariantEstablished
 */
export function updateItems(world: World): readonly Item[] {
  const { set } = world;
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type === "OnDelete") return [];
  const doomed =
    rollingUpdate?.maxUnavailable === undefined ? nextDoomed(world) : doomedAtOnce(world);
  return doomed.map((pod) => deletePod(set, pod));
}

/** The Pods above the partition, highest first; `undefined`: there is none of that ordinal. */
function* fromTheTop({ set, replicas }: World): Generator<Pod | undefined> {
  const start = startOf(set);
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let index = replicasOf(set) - 1; index >= partition; index--) {
    yield replicas.get(start + index);
  }
}

function nextDoomed(world: World): readonly Pod[] {
  const { set, now } = world;
  for (const pod of fromTheTop(world)) {
    if (!pod || isGoing(pod)) return [];
    if (isOld(world, pod)) return [pod];
    if (!isAvailable(set, pod, now)) return [];
  }
  return [];
}

/**
 * What may go together. Where Pods do not wait for each other, one that is old and does not work costs nobody anything,
 * so it goes at once and does not count.
 */
function doomedAtOnce(world: World): readonly Pod[] {
  const { set, replicas, now } = world;
  const isWorking = (pod: Pod): boolean => isAvailable(set, pod, now);
  const old = presentAbove(world).filter((pod) => isOld(world, pod) && !isGoing(pod));
  const broken = isOrdered(world) ? [] : old.filter((pod) => !isWorking(pod));
  const working = [...replicas.values()].filter(isWorking).length;
  const unavailable = replicasOf(set) - working - broken.length;
  const room = Math.max(0, unavailableMax(world) - unavailable);
  return [...broken, ...old.filter((pod) => !broken.includes(pod)).slice(0, room)];
}

/** Those of {@link fromTheTop} that are there, without walking over ordinals that have none. */
function presentAbove({ set, replicas }: World): readonly Pod[] {
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  return [...replicas]
    .filter(([ordinal]) => ordinal - startOf(set) >= partition)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
}

/** At least one, else nothing would ever be updated. @spec getStatefulSetMaxUnavailable */
function unavailableMax({ set }: World): number {
  const { maxUnavailable } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  return Math.max(1, scaledValue(maxUnavailable, replicasOf(set), "down"));
}

function isOld({ update }: World, pod: Pod): boolean {
  return revisionOfPod(pod) !== update.name;
}

/** Deleted, or by another step about to be. */
function isGoing(pod: Pod): boolean {
  return isBeingDeleted(pod) || isPodTerminal(pod);
}
