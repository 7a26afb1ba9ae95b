import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { PlannedEvent } from "../../reconciler/controller.ts";
import {
  conflictingClaims,
  endingClaims,
  missingClaims,
  reownedClaims,
  type Claims,
} from "./claims.ts";
import { hasStorage, podName, repairPatch } from "./identity.ts";
import { createClaim, failed, failure, GO, podItem, told, type Item, type Step } from "./step.ts";

/** In upstream's words, "manging" included. */
const CONFLICT =
  "has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim";

/** Makes the claims that a Pod waits for, and says whose they are. @spec createMissingPersistentVolumeClaims */
export function tendClaims(set: StatefulSet, ordinal: number, pod: Pod, claims: Claims): Step {
  const name = podName(set, ordinal);
  const made = missingClaims(set, ordinal, claims).map((claim) => createClaim(set, name, claim));
  if (endingClaims(set, ordinal, claims) !== undefined) return { items: made, next: "stop" };
  return {
    items: [...made, ...ownerItems(set, ordinal, pod, claims)],
    next: "go",
    events: conflictEvents(set, ordinal, pod, claims),
  };
}

/**
 * Gives a Pod the labels, claims and volumes that it should have.
 *
 * Volumes never change, so of a Pod that lacks its claims' the update is refused: the claims are made, the refusal is told of,
 * and nothing goes on until somebody deletes the Pod.
 * @param isTended its claims are looked after already.
 * @spec k8s@1.36 pkg/controller/statefulset UpdateStatefulPod
 */
export function repairStep(
  set: StatefulSet,
  ordinal: number,
  pod: Pod,
  claims: Claims,
  isTended: boolean,
): Step {
  const name = podName(set, ordinal);
  const isStored = hasStorage(set, ordinal, pod);
  const missing = isStored || isTended ? [] : missingClaims(set, ordinal, claims);
  const made = missing.map((claim) => createClaim(set, name, claim, "update"));
  const ending = isStored ? undefined : endingClaims(set, ordinal, claims);
  if (ending !== undefined) {
    return { items: made, next: "stop", events: [failed(set, name, "update", ending)] };
  }
  const owners = isTended ? [] : ownerItems(set, ordinal, pod, claims);
  const events = owners.length > 0 ? conflictEvents(set, ordinal, pod, claims) : [];
  const patch = repairPatch(set, ordinal, pod);
  if (patch === undefined) {
    return owners.length > 0 ? { items: toldOf(set, name, owners), next: "go", events } : GO;
  }
  const ifUid = pod.metadata?.uid ?? "";
  const write = { verb: "patch", kind: Pod, key: keyOf(pod), patch, ifUid } as const;
  const item = podItem(set, name, "update", write);
  return isStored
    ? { items: [...owners, item], next: "go", events }
    : { items: [...made, ...owners], vain: [item], next: "stop", events };
}

/** Whose the claims of a Pod are that is not wanted any more; nothing is told of it. @spec UpdatePodClaimForRetentionPolicy */
export function releaseClaims(set: StatefulSet, ordinal: number, pod: Pod, claims: Claims): Step {
  const items = ownerItems(set, ordinal, pod, claims);
  if (items.length === 0) return GO;
  return {
    items: items.map(({ write }) => ({ write, events: [] })),
    next: "go",
    events: conflictEvents(set, ordinal, pod, claims),
  };
}

/** @param pod absent: it is only being created. */
export function conflictEvents(
  set: StatefulSet,
  ordinal: number,
  pod: Pod | undefined,
  claims: Claims,
): readonly PlannedEvent[] {
  return conflictingClaims(set, ordinal, pod, claims).map((claim) => ({
    type: "Warning",
    reason: "ConflictingController",
    message: `PersistentVolumeClaim ${claim} ${CONFLICT}`,
  }));
}

/** @param pod absent: it is only being created. */
export function ownerItems(
  set: StatefulSet,
  ordinal: number,
  pod: Pod | undefined,
  claims: Claims,
): readonly Item[] {
  return reownedClaims(set, ordinal, pod, claims).map((object) => {
    const { name } = keyOf(object);
    const error = `could not update claim ${name} for delete policy ownerRefs: {error}`;
    return {
      write: { verb: "update", kind: PersistentVolumeClaim, object },
      events: [failure(set, podName(set, ordinal), "update", error)],
    };
  });
}

/** The Pod's update is told of once, when the last write is done. */
function toldOf(set: StatefulSet, pod: string, items: readonly Item[]): readonly Item[] {
  return items.map(({ write, events }, index) =>
    index < items.length - 1
      ? { write, events }
      : { write, events: [told(set, pod, "update"), ...events] },
  );
}
