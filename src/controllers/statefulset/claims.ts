import type { StatefulSet } from "../../api/apps/stateful-set.ts";
import { StatefulSet as StatefulSetKind } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { apiVersionOf, type Kind } from "../../api/machinery/kind.ts";
import { keyOf, type KubeObject, type OwnerReference } from "../../api/machinery/object.ts";
import { controllerReference, isBeingDeleted } from "../../reconciler/ownership.ts";
import { claimName, isInRange, podName } from "./identity.ts";

/** Claims by name, as far as the set's Pods concern them. */
export type Claims = ReadonlyMap<string, PersistentVolumeClaim>;

/** The claims of one Pod as its set's templates have them; they have no owners yet. @spec getPersistentVolumeClaims */
export function wantedClaims(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  const { namespace = "" } = set.metadata ?? {};
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { status: _, ...claim } = template as PersistentVolumeClaim;
    const labels = { ...claim.metadata?.labels, ...set.spec?.selector?.matchLabels };
    const name = claimName(set, claim.metadata?.name ?? "", ordinal);
    return { ...claim, metadata: { ...claim.metadata, name, namespace, labels } };
  });
}

/** Those of the wanted claims that exist. */
export function claimsOf(
  set: StatefulSet,
  ordinal: number,
  claims: Claims,
): readonly PersistentVolumeClaim[] {
  return wantedClaims(set, ordinal).flatMap(({ metadata }) => claims.get(metadata!.name!) ?? []);
}

/** Which claims of the Pod are on their way out, as an error says it: the Pod must wait for their end. */
export function endingClaims(
  set: StatefulSet,
  ordinal: number,
  claims: Claims,
): string | undefined {
  const ending = claimsOf(set, ordinal, claims).filter(isBeingDeleted);
  const errors = ending.map(({ metadata }) => `pvc ${metadata?.name} is being deleted`);
  return errors.length > 1 ? `[${errors.join(", ")}]` : errors[0];
}

/**
 * A claim that an earlier Pod of this name owns goes with that Pod: a new one must not take it.
 *
 * @param pod absent: there is no Pod yet, so any owner of its name is an earlier one.
 * @spec k8s@1.36 pkg/controller/statefulset PodClaimIsStale
 */
export function hasStaleClaim(set: StatefulSet, ordinal: number, claims: Claims): boolean {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return false;
  const pod = { metadata: { name: podName(set, ordinal) } };
  return claimsOf(set, ordinal, claims).some((claim) => isStaleOwner(claim, Pod, pod));
}

/**
 * The claims whose owners are not those of the retention policy, with those owners.
 *
 * A claim that an owner is gone with, or that somebody else controls, is left alone.
 * @param pod absent: it is only being created; then an owner of its name is an earlier one.
 * @spec k8s@1.36 pkg/controller/statefulset isClaimOwnerUpToDate, updateClaimOwnerRefForSetAndPod
 */
export function reownedClaims(
  set: StatefulSet,
  ordinal: number,
  pod: Pod | undefined,
  claims: Claims,
): readonly PersistentVolumeClaim[] {
  const { metadata } = set;
  const member: KubeObject = pod ?? { metadata: { name: podName(set, ordinal) } };
  return claimsOf(set, ordinal, claims).flatMap((claim) => {
    const isStale = isStaleOwner(claim, StatefulSetKind, set) || isStaleOwner(claim, Pod, member);
    if (!metadata || isStale) return [];
    const owners = claim.metadata?.ownerReferences ?? [];
    const ownerReferences = wantedOwners(set, ordinal, member, owners);
    if (isSame(owners, ownerReferences)) return [];
    return [{ ...claim, metadata: { ...claim.metadata, ownerReferences } }];
  });
}

/**
 * Names of the claims that somebody else controls, so that the retention policy is none of theirs.
 *
 * @param pod absent: it is only being created.
 * @spec k8s@1.36 pkg/controller/statefulset hasUnexpectedController
 */
export function conflictingClaims(
  set: StatefulSet,
  ordinal: number,
  pod: Pod | undefined,
  claims: Claims,
): readonly string[] {
  const { whenDeleted, whenScaled } = retention(set);
  if (whenDeleted !== "Delete" && whenScaled !== "Delete") return [];
  const member: KubeObject = pod ?? { metadata: { name: podName(set, ordinal) } };
  const isConflict = (owner: OwnerReference): boolean => {
    if (isNamed(owner, StatefulSetKind, set)) return owner.uid !== set.metadata?.uid;
    if (isNamed(owner, Pod, member)) return owner.uid !== member.metadata?.uid;
    return owner.controller === true;
  };
  return claimsOf(set, ordinal, claims)
    .filter(({ metadata }) => metadata?.ownerReferences?.some(isConflict))
    .map((claim) => keyOf(claim).name);
}

/** The owners of a claim that is only being created. */
export function firstOwners(set: StatefulSet): readonly OwnerReference[] {
  return retention(set).whenDeleted === "Delete" ? [controllerReference(StatefulSetKind, set)] : [];
}

function wantedOwners(
  set: StatefulSet,
  ordinal: number,
  pod: KubeObject,
  owners: readonly OwnerReference[],
): readonly OwnerReference[] {
  const others = owners.filter(
    (owner) => !isNamed(owner, StatefulSetKind, set) && !isNamed(owner, Pod, pod),
  );
  if (others.some(({ controller }) => controller)) return others;
  const { whenDeleted, whenScaled } = retention(set);
  const isScaledDown = !isInRange(set, ordinal);
  if (whenScaled === "Delete" && isScaledDown) return [...others, controllerReference(Pod, pod)];
  if (whenDeleted === "Delete") return [...others, controllerReference(StatefulSetKind, set)];
  return others;
}

function retention(set: StatefulSet): {
  readonly whenDeleted?: string;
  readonly whenScaled?: string;
} {
  return set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
}

function isSame(owners: readonly OwnerReference[], wanted: readonly OwnerReference[]): boolean {
  return (
    owners.length === wanted.length &&
    wanted.every(({ uid, controller }) =>
      owners.some((owner) => owner.uid === uid && !!owner.controller === !!controller),
    )
  );
}

function isNamed(owner: OwnerReference, kind: Kind, object: KubeObject): boolean {
  return (
    owner.apiVersion === apiVersionOf(kind) &&
    owner.kind === kind.kind &&
    owner.name === object.metadata?.name
  );
}

/** An owner of that name which is another object. */
function isStaleOwner(claim: KubeObject, kind: Kind, object: KubeObject): boolean {
  return (claim.metadata?.ownerReferences ?? []).some(
    (owner) => isNamed(owner, kind, object) && owner.uid !== object.metadata?.uid,
  );
}

/** Creates of the claims that are not there. */
export function missingClaims(
  set: StatefulSet,
  ordinal: number,
  claims: Claims,
): readonly PersistentVolumeClaim[] {
  const owners = firstOwners(set);
  return wantedClaims(set, ordinal)
    .filter((claim) => !claims.has(keyOf(claim).name))
    .map((claim) =>
      owners.length === 0
        ? claim
        : { ...claim, metadata: { ...claim.metadata, ownerReferences: owners } },
    );
}
