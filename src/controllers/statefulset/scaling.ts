import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Instant } from "../../base/clock.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { PodTemplate } from "../../reconciler/pod-from-template.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import {
  endingClaim,
  hasStaleClaim,
  missingClaims,
  retentionWrites,
  type Claims,
} from "./claims.ts";
import {
  conforming,
  isAvailable,
  isReadyForLong,
  isRunningAndReady,
  newPod,
  podName,
  replicasOf,
  startOf,
} from "./identity.ts";
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
  const { set, condemned, now } = world;
  const sick = condemned.findLast(([, pod]) => !isAvailable(set, pod, now))?.[1];
  const fixes = condemned.map(([ordinal, pod]): Step => {
    const items = fixClaims(world, ordinal, pod);
    return items.length > 0 ? { items, next: "go" } : GO;
  });
  const deletes = inOrder(world, condemned, ([, pod]) => {
    if (isBeingDeleted(pod)) return WAIT;
    const isWell = isRunningAndReady(pod) && isReadyForLong(set, pod, now);
    if (isOrdered(world) && !isWell && pod !== sick) return WAIT;
    return { items: [deletePod(set, pod)], next: "wait" };
  });
  return [...fixes, ...deletes];
}

/** One step for each; an ordered set ends with the first that does not go on. */
function inOrder<T>(
  world: World,
  items: readonly T[],
  stepOf: (item: T, index: number) => Step,
): readonly Step[] {
  if (!isOrdered(world)) return items.map(stepOf);
  const steps: Step[] = [];
  for (const [index, item] of items.entries()) {
    const step = stepOf(item, index);
    steps.push(step);
    if (step.next !== "go") break;
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
      ...missingClaims(set, ordinal, claims).map((claim) => createClaim(set, name, claim)),
      podItem(set, name, "create", { verb: "create", kind: Pod, object }),
      ...retentionWrites(set, ordinal, undefined, claims).map((write) => ({ write, events: [] })),
    ],
    next: "wait",
  };
}

/** What must end before a Pod of this ordinal may come. */
function blockedCreate({ set, claims }: World, ordinal: number, name: string): Step | undefined {
  if (hasStaleClaim(set, ordinal, claims)) return WAIT;
  const ending = endingClaim(set, ordinal, claims);
  if (ending === undefined) return undefined;
  const { onFailure: _, ...event } = failed(set, name, "create", `pvc ${ending} is being deleted`);
  return { items: [], next: "stop", events: [event] };
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
  const name = podName(set, ordinal);
  const isPending = pod.status?.phase === "Pending";
  const repairs: Item[] = isPending
    ? missingClaims(set, ordinal, claims).map((claim) => createClaim(set, name, claim))
    : [];
  const isWell = !isBeingDeleted(pod) && isRunningAndReady(pod) && isReadyForLong(set, pod, now);
  if (!isWell && isOrdered(world)) return { items: repairs, next: "wait" };
  return { items: [...repairs, ...repair(world, ordinal, pod)], next: isWell ? "go" : "wait" };
}

/** Labels, volumes and claims as they should be. @spec UpdateStatefulPod */
function repair(world: World, ordinal: number, pod: Pod): Item[] {
  const { set } = world;
  const object = conforming(set, ordinal, pod);
  const items = fixClaims(world, ordinal, pod);
  if (object === pod) return items;
  const write = { verb: "update", kind: Pod, object } as const;
  return [...items, podItem(set, podName(set, ordinal), "update", write)];
}

function fixClaims({ set, claims }: World, ordinal: number, pod: Pod): Item[] {
  return retentionWrites(set, ordinal, pod, claims).map((write) =>
    podItem(set, podName(set, ordinal), "update", write),
  );
}
