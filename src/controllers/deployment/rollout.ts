import type { Pod } from "../../api/core/pod.ts";
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import {
  byAge,
  byRevision,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  isRolling,
  maxSurge,
  maxUnavailable,
  replicasOf,
  totalReplicas,
} from "./replica-sets.ts";

/** One Deployment and its ReplicaSets. `oldSets`: all but the one of the present template. */
export interface Rollout {
  readonly deployment: Deployment;
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
  /** Of all sets; only for strategy Recreate. */
  readonly pods: readonly Pod[];
}

/** New sizes of sets; those that are not named keep theirs. */
export type Sizes = ReadonlyMap<ReplicaSet, number>;

const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
/** What of it is available and stays: a status that is older than its set's size counts Pods that are on their way out. */
const lastingOf = (set: ReplicaSet): number => Math.min(availableOf(set), replicasOf(set));
const activeOnes = (sets: readonly ReplicaSet[]): readonly ReplicaSet[] =>
  sets.filter((set) => replicasOf(set) > 0);

/** All sets of the rollout. */
export function allSets({ newSet, oldSets }: Rollout): readonly ReplicaSet[] {
  return newSet ? [...oldSets, newSet] : oldSets;
}

/** The size that the new set should have next; it may not exist yet. @spec NewRSNewReplicas */
export function newSetSize(rollout: Rollout): number {
  const { deployment, newSet } = rollout;
  const wanted = replicasOf(deployment);
  const current = newSet ? replicasOf(newSet) : 0;
  if (!isRolling(deployment) || current >= wanted) return wanted;
  const room = wanted + maxSurge(deployment) - totalReplicas(allSets(rollout));
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** One step of a rolling update: up if possible, else down. Empty: nothing can move now. @spec rolloutRolling */
export function rollingSizes(rollout: Rollout): Sizes {
  const { newSet } = rollout;
  if (!newSet) return new Map();
  const size = newSetSize(rollout);
  if (size !== replicasOf(newSet)) return new Map([[newSet, size]]);
  return oldSetSizes(rollout, newSet);
}

/**
 * How far old sets may shrink: first by what is unhealthy anyway, then by what availability leaves.
 *
 * A set that has just been made smaller is not counted twice, though its status still has what it gave up; upstream takes that
 * for available, and goes below the minimum.
 * @spec k8s@1.36 pkg/controller/deployment/rolling.go reconcileOldReplicaSets
 */
function oldSetSizes(rollout: Rollout, newSet: ReplicaSet): Sizes {
  const { deployment } = rollout;
  const sizes = new Map<ReplicaSet, number>();
  const old = [...activeOnes(rollout.oldSets)].sort(byAge);
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const newUnavailable = replicasOf(newSet) - lastingOf(newSet);
  const downMax = totalReplicas(allSets(rollout)) - minAvailable - newUnavailable;
  if (old.length === 0 || downMax <= 0) return sizes;
  let cleaned = 0;
  for (const set of old) {
    const unhealthy = replicasOf(set) - lastingOf(set);
    const down = Math.min(downMax - cleaned, unhealthy);
    if (down <= 0) continue;
    sizes.set(set, replicasOf(set) - down);
    cleaned += down;
  }
  let spare = allSets(rollout).reduce((sum, set) => sum + lastingOf(set), 0) - minAvailable;
  for (const set of old) {
    const size = sizes.get(set) ?? replicasOf(set);
    const down = Math.min(size, spare);
    if (down <= 0) continue;
    sizes.set(set, size - down);
    spare -= down;
  }
  return sizes;
}

/** Strategy Recreate, first half: old sets to zero. */
export function recreateSizes(rollout: Rollout): Sizes {
  return new Map(activeOnes(rollout.oldSets).map((set) => [set, 0]));
}

/** True while Pods of old sets are there or about to be. @spec recreate.go oldPodsRunning */
export function areOldPodsRunning({ newSet, oldSets, pods }: Rollout): boolean {
  if (oldSets.some((set) => (set.status?.replicas ?? 0) > 0)) return true;
  const newUid = newSet?.metadata?.uid;
  return pods.some((pod) => {
    const controller = pod.metadata?.ownerReferences?.find((reference) => reference.controller);
    return controller?.uid !== newUid && !isPodTerminal(pod);
  });
}

/** `spec.replicas` was changed since the active sets were sized. @spec isScalingEvent */
export function isScalingEvent(rollout: Rollout): boolean {
  return activeOnes(allSets(rollout)).some((set) => {
    const desired = annotatedNumber(set, DESIRED_REPLICAS);
    return desired !== undefined && desired !== replicasOf(rollout.deployment);
  });
}

function annotatedNumber(set: ReplicaSet, key: string): number | undefined {
  const text = set.metadata?.annotations?.[key];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * Sizes after `spec.replicas` changed (or while paused): the only active set takes all, a saturated new set ends the
 * others, else each set grows or shrinks in proportion to its size.
 *
 * @spec k8s@1.36 pkg/controller/deployment/sync.go scale
 */
export function scaledSizes(rollout: Rollout): Sizes {
  const { deployment, newSet, oldSets } = rollout;
  const active = activeOnes(allSets(rollout));
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? [...oldSets].sort(byAge).at(-1);
    return new Map(only ? [[only, replicasOf(deployment)]] : []);
  }
  if (newSet && isSaturated(deployment, newSet)) {
    return new Map(activeOnes(oldSets).map((set) => [set, 0]));
  }
  return isRolling(deployment) ? proportionalSizes(deployment, active) : new Map();
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return (
    replicasOf(set) === wanted &&
    annotatedNumber(set, DESIRED_REPLICAS) === wanted &&
    availableOf(set) === wanted
  );
}

function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Sizes {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
  const toAdd = allowed - totalReplicas(active);
  // Largest first; of equal ones the newer grows first and the older shrinks first.
  const direction = toAdd > 0 ? -1 : 1;
  const ordered = [...active].sort(
    (a, b) => replicasOf(b) - replicasOf(a) || direction * byAge(a, b),
  );
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of ordered) {
    const part = toAdd === 0 ? 0 : proportion(deployment, set, toAdd, added);
    sizes.set(set, replicasOf(set) + part);
    added += part;
  }
  const [largest] = ordered;
  if (largest) sizes.set(largest, Math.max(0, sizes.get(largest)! + toAdd - added));
  return sizes;
}

/** @spec k8s@1.36 deploymentutil GetReplicaSetProportion */
function proportion(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, set);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -replicasOf(set);
  const before = annotatedNumber(set, MAX_REPLICAS) || deployment.status?.replicas || 0;
  if (before === 0) return 0;
  const size = (replicasOf(set) * (wanted + maxSurge(deployment))) / before;
  return Math.round(size) - replicasOf(set);
}

/** Old sets beyond `revisionHistoryLimit` that run nothing, lowest revision first. @spec k8s@1.36 cleanupDeployment */
export function setsToForget({ deployment, oldSets }: Rollout): readonly ReplicaSet[] {
  const keep = deployment.spec?.revisionHistoryLimit;
  if (keep === undefined || keep === 2 ** 31 - 1) return [];
  const alive = oldSets.filter((set) => !isBeingDeleted(set)).sort(byRevision);
  return alive
    .slice(0, Math.max(0, alive.length - keep))
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata?.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
