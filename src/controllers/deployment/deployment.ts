import type { Instant } from "../../base/clock.ts";
import { keyOf, type ObjectKey } from "../../api/machinery/object.ts";
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { Pod } from "../../api/core/pod.ts";
import type { CacheReader } from "../../client/cache.ts";
import { findCondition } from "../../api/machinery/conditions.ts";
import { defineController, type Plan, type PlannedWrite } from "../../reconciler/controller.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import {
  claim,
  claimable,
  controllerOf,
  isBeingDeleted,
  ownersOf,
  selectorsMatching,
} from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import { matcherOf } from "../../reconciler/selection.ts";
import { createNewSet, newSetName } from "./new-set.ts";
import {
  annotationsOfNewSet,
  findNewSet,
  isRolling,
  replicasOf,
  REVISION,
  nextRevision,
  ROLLBACK_TO,
  withSizeAnnotations,
} from "./replica-sets.ts";
import { rollBack } from "./rollback.ts";
import {
  areOldPodsRunning,
  isScalingEvent,
  recreateSizes,
  rollingSizes,
  scaledSizes,
  setsToForget,
  type Rollout,
  type Sizes,
} from "./rollout.ts";
import {
  countedStatus,
  hasDeadline,
  isComplete,
  pauseConditions,
  progressCheckAt,
  rolloutStatus,
  withProgressing,
  type Conditions,
} from "./status.ts";

/** `sets`: controlled by the Deployment, or by nobody. `nameHolder`: has the name that the next set would get. */
export interface Observed {
  readonly deployment: Deployment;
  readonly sets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly nameHolder: ReplicaSet | undefined;
}

/**
 * Moves Pods from old templates to the present one by resizing ReplicaSets.
 *
 * One reconcile is one step (create the new set, or resize some); what follows from it is the next reconcile's.
 * @invariant while rolling: never more than replicas + maxSurge told to run, never fewer than replicas − maxUnavailable
 * available by a step of ours.
 * @spec k8s@1.36 pkg/controller/deployment syncDeployment
 */
export const deploymentController = defineController<Deployment, Observed>({
  name: "deployment-controller",
  primary: Deployment,
  triggers: [
    ownersOf(ReplicaSet, Deployment),
    selectorsMatching(ReplicaSet, Deployment, (owner) => matcherOf(owner.spec?.selector)),
    { kind: Pod, keys: ({ old, object }, cache) => recreatedBy(cache, old as Pod, object as Pod) },
  ],
  observe,
  plan,
});

/** The Recreate Deployment that waits for the end of a Pod that just ended. */
function recreatedBy(cache: CacheReader, old: Pod | undefined, pod: Pod | undefined): ObjectKey[] {
  if (!old || (pod && !isPodTerminal(pod))) return [];
  const namespace = old.metadata?.namespace ?? "";
  const setName = controllerOf(old)?.name;
  const set = setName && cache.get(ReplicaSet, { namespace, name: setName });
  const name = set && controllerOf(set)?.name;
  const deployment = name && cache.get(Deployment, { namespace, name });
  return deployment && !isRolling(deployment) ? [keyOf(deployment)] : [];
}

function observe(cache: CacheReader, key: ObjectKey): Observed | undefined {
  const deployment = cache.get(Deployment, key);
  const uid = deployment?.metadata?.uid;
  if (!deployment || uid === undefined) return undefined;
  const { namespace } = key;
  const sets = claimable(cache, ReplicaSet, namespace, uid);
  const own = sets.filter(controllerOf);
  const pods = isRolling(deployment)
    ? []
    : own.flatMap((set) => cache.list(Pod, { namespace, controllerUid: set.metadata?.uid ?? "-" }));
  const nameHolder = cache.get(ReplicaSet, { namespace, name: newSetName(deployment) });
  return { deployment, sets, pods, nameHolder };
}

/** Pure; see {@link deploymentController}. */
export function plan({ deployment, sets, pods, nameHolder }: Observed, now: Instant): Plan {
  const matches = matcherOf(deployment.spec?.selector);
  const { owned, writes } = claim(
    ReplicaSet,
    { kind: Deployment, object: deployment, matches },
    sets,
  );
  const newSet = findNewSet(deployment, owned);
  const oldSets = owned.filter((set) => set !== newSet);
  const rollout = { deployment, newSet, oldSets, pods };
  if (isBeingDeleted(deployment)) {
    return { status: countedStatus(rollout, deployment.status?.conditions ?? [], now) };
  }
  // Adopted sets have a new revision of their own: whatever else is to be written comes next time.
  if (writes.length) return { writes };
  const conditions = foundConditions(rollout, pauseConditions(deployment, now), now);
  const revision = revisionWrites(rollout);
  const step = revision.some((write) => write.kind === ReplicaSet)
    ? { status: countedStatus(rollout, conditions, now) }
    : stepOf(rollout, nameHolder, conditions, now);
  return offset(step, revision);
}

/** `first` before the step's own writes; its events keep their writes. */
function offset(step: Plan, first: readonly PlannedWrite[]): Plan {
  const events = step.events?.map((event) =>
    event.afterWrite === undefined
      ? event
      : { ...event, afterWrite: event.afterWrite + first.length },
  );
  return { ...step, writes: [...first, ...(step.writes ?? [])], ...(events && { events }) };
}

function stepOf(
  rollout: Rollout,
  nameHolder: ReplicaSet | undefined,
  conditions: Conditions,
  now: Instant,
): Plan {
  const { deployment, newSet } = rollout;
  const isPaused = deployment.spec?.paused ?? false;
  const rollbackTo = deployment.metadata?.annotations?.[ROLLBACK_TO];
  const hasRollback = rollbackTo !== undefined && /^-?\d+$/.test(rollbackTo);
  const scaled = scaledSizes(rollout);
  // Several sets of one that recreates (it adopted them) have no proportion: it goes on to end them, where upstream stands still.
  const isScaled = isScalingEvent(rollout) && (isRolling(deployment) || scaled.size > 0);
  if (isPaused || (!hasRollback && isScaled)) {
    const resized = resize(deployment, scaled);
    const forgotten = isPaused && !hasRollback ? forget(rollout) : [];
    const writes = [...(resized.writes ?? []), ...forgotten];
    return { ...resized, writes, status: countedStatus(rollout, conditions, now) };
  }
  const mustWait = !isRolling(deployment) && mustEndOld(rollout);
  if (!newSet && (hasRollback || !mustWait)) {
    return createNewSet(rollout, nameHolder, conditions, now);
  }
  if (hasRollback) return rollBack(rollout, Number(rollbackTo));
  const sizes = isRolling(deployment) ? rollingSizes(rollout) : sizesToRecreate(rollout);
  const resized = resize(deployment, sizes);
  const isSettled = sizes.size === 0 && isComplete(deployment, deployment.status);
  const status = rolloutStatus(rollout, conditions, now);
  const wakeAt = progressCheckAt(deployment, status, now);
  const writes = [...(resized.writes ?? []), ...(isSettled ? forget(rollout) : [])];
  return { ...resized, writes, status, ...(wakeAt !== undefined && { wakeAt }) };
}

function mustEndOld(rollout: Rollout): boolean {
  return recreateSizes(rollout).size > 0 || areOldPodsRunning(rollout);
}

function sizesToRecreate(rollout: Rollout): Sizes {
  const { deployment, newSet } = rollout;
  const ending = recreateSizes(rollout);
  if (ending.size > 0 || areOldPodsRunning(rollout) || !newSet) return ending;
  const wanted = replicasOf(deployment);
  return new Map(replicasOf(newSet) === wanted ? [] : [[newSet, wanted]]);
}

/** Updates of the sets whose size or size annotations differ. @spec scaleReplicaSet */
function resize(deployment: Deployment, sizes: Sizes): Plan {
  const resized = [...sizes].flatMap(([set, size]) => {
    const annotations = withSizeAnnotations(deployment, set.metadata?.annotations);
    const from = replicasOf(set);
    if (from === size && equalStored(annotations, set.metadata?.annotations)) return [];
    const spec = { ...set.spec, replicas: size } as NonNullable<ReplicaSet["spec"]>;
    const object: ReplicaSet = { ...set, metadata: { ...set.metadata, annotations }, spec };
    return [{ object, from, size }];
  });
  return {
    writes: resized.map(({ object }) => ({ verb: "update", kind: ReplicaSet, object })),
    events: resized.flatMap(({ object, from, size }, afterWrite) => {
      if (from === size) return [];
      const direction = from < size ? "up" : "down";
      const name = object.metadata?.name;
      const message = `Scaled ${direction} replica set ${name} from ${from} to ${size}`;
      return [{ type: "Normal", reason: "ScalingReplicaSet", message, afterWrite }];
    }),
  };
}

function forget(rollout: Rollout): PlannedWrite[] {
  return setsToForget(rollout).map((set) => ({
    verb: "delete",
    kind: ReplicaSet,
    key: keyOf(set),
    ifUid: set.metadata?.uid ?? "",
    propagation: "Background",
  }));
}

/** Keeps revision and copied annotations of the new set, and the Deployment's revision, in step. */
function revisionWrites({ deployment, newSet, oldSets }: Rollout): PlannedWrite[] {
  if (!newSet) return [];
  const current = newSet.metadata?.annotations ?? {};
  const annotations = annotationsOfNewSet(deployment, current, nextRevision(oldSets));
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const writes: PlannedWrite[] = [];
  if (
    !equalStored(annotations, current) ||
    (newSet.spec?.minReadySeconds ?? 0) !== minReadySeconds
  ) {
    const spec = { ...newSet.spec, minReadySeconds } as NonNullable<ReplicaSet["spec"]>;
    const object: ReplicaSet = { ...newSet, metadata: { ...newSet.metadata, annotations }, spec };
    writes.push({ verb: "update", kind: ReplicaSet, object });
  }
  const revision = annotations[REVISION];
  if (revision && deployment.metadata?.annotations?.[REVISION] !== revision) {
    writes.push({
      verb: "patch",
      kind: Deployment,
      key: keyOf(deployment),
      ifUid: deployment.metadata?.uid ?? "",
      patch: { metadata: { annotations: { [REVISION]: revision } } },
    });
  }
  return writes;
}

/** Progress counts from when the new set was first seen. */
function foundConditions(
  { deployment, newSet }: Rollout,
  conditions: Conditions,
  now: Instant,
): Conditions {
  const isKnown = findCondition(conditions, "Progressing") !== undefined;
  if (!newSet || !hasDeadline(deployment) || isKnown) return conditions;
  const message = `Found new replica set "${newSet.metadata?.name}"`;
  return withProgressing(conditions, "True", "FoundNewReplicaSet", message, now);
}
