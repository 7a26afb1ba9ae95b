import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Instant } from "../../base/clock.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { PodTemplate } from "../../reconciler/pod-from-template.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import { endingClaims, hasStaleClaim, missingClaims, type Claims } from "./claims.ts";
import {
  isAvailable,
  isReadyForLong,
  isRunningAndReady,
  newPod,
  podName,
  replicasOf,
  startOf,
} from "./identity.ts";
import { conflictEvents, ownerItems, releaseClaims, repairStep, tendClaims } from "./repairing.ts";
import { createClaim, deletePod, failed, GO, podItem, WAIT, type Item, type Step } from "./step.ts";

/** A revision as far as Pods are made from it. */
export interface PodRevision {
  readonly name: string;
  readonly template: PodTemplate;
}

/** One set, and what there is of it. */
export interface World {
  readonly set: StatefulSet;
  /** The Pods of wanted ordinals, by ordinal; not all need be there. */
  readonly replicas: ReadonlyMap<number, Pod>;
  /** Pods beyond the wanted ordinals, highest first, with their ordinals. */
  readonly condemned: readonly (readonly [number, Pod])[];
  readonly claims: Claims;
  readonly current: PodRevision;
  readonly update: PodRevision;
  readonly now: Instant;
}

/** Most Pods one step creates. Bounds what one bad template can do before its events show it; twice as many only write longer. */
const STEP_PODS_MAX = 500;

/** Whether Pods come and go one after the other. */
export function isOrdered({ set }: World): boolean {
  return set.spec?.podManagementPolicy !== "Parallel";
}

/** Pods that are looked at together. Upstream's, so that as many go on beside one that cannot. */
const BATCH_PODS_MAX = 500;

/**
 * Makes what is wanted be there: Pods in order of their ordinals, each once its predecessors are available.
 *
 * @spec k8s@1.36 pkg/controller/statefulset processReplica
 */
export function growSteps(world: World): readonly Step[] {
  return inOrder(world, ordinalsInReach(world), (ordinal) => {
    const pod = world.replicas.get(ordinal);
    return pod ? keepReplica(world, ordinal, pod) : createReplica(world, ordinal);
  });
}

/** The wanted ordinals up to where this step has created enough: `spec.replicas` alone is no bound. */
function ordinalsInReach(world: World): readonly number[] {
  const { set, replicas } = world;
  const end = startOf(set) + replicasOf(set);
  const missingMax = isOrdered(world) ? 1 : STEP_PODS_MAX;
  const ordinals: number[] = [];
  let missing = 0;
  for (let ordinal = startOf(set); ordinal < end && missing < missingMax; ordinal++) {
    ordinals.push(ordinal);
    if (!replicas.has(ordinal)) missing++;
  }
  return ordinals;
}

/**
 * Takes away what is not wanted, highest ordinal first, each once the one above is gone.
 *
 * @spec k8s@1.36 pkg/controller/statefulset processCondemned
 */
export function shrinkSteps(world: World): readonly Step[] {
  const { set, condemned, claims, now } = world;
  const sick = condemned.findLast(([, pod]) => !isAvailable(set, pod, now))?.[1];
  const fixes = condemned.map(([ordinal, pod]) => releaseClaims(set, ordinal, pod, claims));
  const deletes = inOrder(world, condemned, ([, pod]) => {
    if (isBeingDeleted(pod)) return WAIT;
    const isWell = isRunningAndReady(pod) && isReadyForLong(set, pod, now);
    if (isOrdered(world) && !isWell && pod !== sick) return WAIT;
    return { items: [deletePod(set, pod)], next: "wait" };
  });
  return [...fixes, ...deletes];
}

/**
 * One step for each. An ordered set ends with the first that does not go on, another with the batch of the first that stops it:
 * batches are of one, two, four …
 *
 * @spec k8s@1.36 pkg/controller/statefulset runForAll, slowStartBatch
 */
function inOrder<T>(world: World, items: readonly T[], stepOf: (item: T) => Step): readonly Step[] {
  const ends = (step: Step): boolean =>
    step.next === "stop" || (isOrdered(world) && step.next !== "go");
  const steps: Step[] = [];
  for (let size = 1; steps.length < items.length;) {
    const batch = items.slice(steps.length, steps.length + size).map(stepOf);
    steps.push(...batch);
    if (batch.some(ends)) break;
    if (!isOrdered(world)) size = Math.min(size * 2, BATCH_PODS_MAX);
  }
  return steps;
}

function createReplica(world: World, ordinal: number): Step {
  const { set, claims } = world;
  const name = podName(set, ordinal);
  const blocked = blockedCreate(world, ordinal, name);
  if (blocked) return blocked;
  const { template, name: revision } = revisionFor(world, ordinal);
  const object = newPod(set, ordinal, template, revision);
  return {
    items: [
      ...newClaims(world, ordinal),
      podItem(set, name, "create", { verb: "create", kind: Pod, object }),
      ...ownerItems(set, ordinal, undefined, claims),
    ],
    next: "wait",
    events: conflictEvents(set, ordinal, undefined, claims),
  };
}

function newClaims({ set, claims }: World, ordinal: number): readonly Item[] {
  const name = podName(set, ordinal);
  return missingClaims(set, ordinal, claims).map((claim) =>
    createClaim(set, name, claim, "create"),
  );
}

/** What must end before a Pod of this ordinal may come. */
function blockedCreate(world: World, ordinal: number, name: string): Step | undefined {
  const { set, claims } = world;
  if (hasStaleClaim(set, ordinal, claims)) return WAIT;
  const ending = endingClaims(set, ordinal, claims);
  if (ending === undefined) return undefined;
  const events = [failed(set, name, "create", ending)];
  return { items: newClaims(world, ordinal), next: "stop", events };
}

/** Below the partition the revision before, as long as there is one. @spec newVersionedStatefulSetPod */
function revisionFor({ set, current, update }: World, ordinal: number): PodRevision {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate") return update;
  const kept = rollingUpdate ? (rollingUpdate.partition ?? 0) : (set.status?.currentReplicas ?? 0);
  return ordinal < startOf(set) + kept ? current : update;
}

function keepReplica(world: World, ordinal: number, pod: Pod): Step {
  const { set, claims, now } = world;
  if (isPodTerminal(pod)) {
    return isBeingDeleted(pod) ? WAIT : { items: [deletePod(set, pod)], next: "wait" };
  }
  const isPending = pod.status?.phase === "Pending";
  const tended = isPending ? tendClaims(set, ordinal, pod, claims) : GO;
  const isWell = !isBeingDeleted(pod) && isRunningAndReady(pod) && isReadyForLong(set, pod, now);
  if (tended.next === "stop") return tended;
  if (!isWell && isOrdered(world)) return { ...tended, next: "wait" };
  const repaired = repairStep(set, ordinal, pod, claims, isPending);
  return {
    ...repaired,
    items: [...tended.items, ...repaired.items],
    events: [...(tended.events ?? []), ...(repaired.events ?? [])],
    next: repaired.next === "stop" ? "stop" : isWell ? "go" : "wait",
  };
}
