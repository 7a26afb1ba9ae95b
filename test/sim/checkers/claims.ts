import type { Instant } from "../../../src/base/clock.ts";
import type { V1PersistentVolumeClaim, V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import type { OwnerReference } from "../../../src/api/machinery/object.ts";
import type { Change, History } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { Deletions } from "./deletions.ts";
import { isEnding, isOf } from "./replica-sets.ts";
import { nowAfter } from "./ready-since.ts";
import { ordinalOf } from "./set-order.ts";
import { lacksVolumes, reachOf, type Reach } from "./set-reach.ts";
import { Versions } from "./versions.ts";
import { keyOf, WorldState } from "./world-state.ts";

const CLAIMS = "persistentvolumeclaims";
const SETS = "apps/statefulsets";

/**
 * A StatefulSet's claims outlive its Pods: only a namespace's end takes one away that nobody owns. At rest each Pod has its claims, owned by
 * whom its set's policy says, and those are gone whose Pods were scaled away where the policy says so.
 */
export const claims: Checker = {
  name: "claims",
  check({ changes }) {
    const state = new WorldState();
    return changes.flatMap((change) => {
      const { resource, old, object, key, revision } = change;
      state.apply(change);
      const isEnd = old && !isEnding(old) && (!object || isEnding(object));
      if (resource !== CLAIMS || !isEnd) return [];
      const { ownerReferences = [], namespace = "" } = old.metadata ?? {};
      const place = state.get("namespaces", namespace);
      const isDue = ownerReferences.length > 0 || !place || isEnding(place);
      return isDue ? [] : [`${key} was taken away at ${revision}, and nobody owned it`];
    });
  },
  checkAtRest(history) {
    const state = WorldState.after(history.changes);
    const sets = state.list<V1StatefulSet>(SETS).filter((set) => !isEnding(set));
    return sets.flatMap((set) =>
      (set.spec?.volumeClaimTemplates ?? []).flatMap(({ metadata }) => [
        ...held(set, metadata?.name ?? "", state, nowAfter(history.changes)),
        ...left(set, metadata?.name ?? "", state, history),
      ]),
    );
  },
};

/**
 * Each Pod's claim is there, and has the owners that it should have. Of a Pod that lacks the volume, and so stops its set, the claim is there
 * too; nobody looks after those that the set does not come to.
 */
function held(
  set: V1StatefulSet,
  template: string,
  state: WorldState,
  now: Instant,
): readonly string[] {
  const own = state.list<V1Pod>("pods").filter((pod) => isOf(pod, set) && !isEnding(pod));
  const { whenDeleted } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const reach = reachOf(set, own, now);
  return own.flatMap((pod) => {
    const { namespace, name } = pod.metadata!;
    const isReached = isInRange(pod, set) && ordinalOf(pod) <= reach.last;
    const claim = state.get<V1PersistentVolumeClaim>(CLAIMS, `${namespace}/${template}-${name}`);
    if (!claim) {
      const isDue = !lacksVolumes(pod, set) || (isReached && isTended(pod, set, reach));
      return isDue ? [`${keyOf(pod)} has no claim`] : [];
    }
    if (reach.isStopped && !isReached) return [];
    const owners = claim.metadata?.ownerReferences ?? [];
    const isSets = owners.some(({ uid }) => uid === set.metadata?.uid);
    return isSets === (whenDeleted === "Delete")
      ? []
      : [`${keyOf(claim)} is owned by ${textOf(owners)}, whenDeleted is ${whenDeleted}`];
  });
}

/** An ordered set makes the claim of one that lacks its volume while it waits for it, or when it is ready. */
function isTended({ status }: V1Pod, { spec }: V1StatefulSet, { isStopped }: Reach): boolean {
  return spec?.podManagementPolicy === "Parallel" || isStopped || status?.phase === "Pending";
}

function textOf(owners: readonly OwnerReference[]): string {
  return owners.map(({ kind, name }) => `${kind} ${name}`).join(", ") || "nobody";
}

function isInRange(pod: V1Pod, { spec }: V1StatefulSet): boolean {
  const { replicas = 1, ordinals } = spec ?? {};
  const start = ordinals?.start ?? 0;
  return ordinalOf(pod) >= start && ordinalOf(pod) < start + replicas;
}

/** Claims of Pods that the set itself has scaled away, and that had them then. */
function left(
  set: V1StatefulSet,
  template: string,
  state: WorldState,
  history: History,
): readonly string[] {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return [];
  const { changes, facts } = history;
  const deletions = new Deletions(history);
  const versions = new Versions();
  /** By Pod: its last end, and what its set may have been read as then. */
  const last = new Map<
    string,
    { readonly change: Change; readonly sets: readonly V1StatefulSet[] }
  >();
  for (const change of changes) {
    versions.note(change);
    const { resource, old, key, atMs } = change;
    if (resource !== "pods" || !old || !isOf(old, set) || isEnding(old)) continue;
    const read = versions.of<V1StatefulSet>(SETS, keyOf(set), atMs - facts.staleMs);
    last.set(key, { change, sets: read.filter((one) => one !== undefined) });
  }
  return [...last.values()].flatMap(({ change, sets }) => {
    const pod = change.old as V1Pod;
    // One that was taken away to be updated, and never came back, took nothing with it.
    const isAway = [...sets, set].every((one) => !isInRange(pod, one));
    if (!isAway || !deletions.isControllers(change)) return [];
    const { namespace, name } = pod.metadata!;
    const claim = state.get<V1PersistentVolumeClaim>(CLAIMS, `${namespace}/${template}-${name}`);
    return claim ? [`${keyOf(claim)} is left, and its Pod was scaled away`] : [];
  });
}
