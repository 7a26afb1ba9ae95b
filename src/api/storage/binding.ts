import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from "../../gen/types.ts";
import { BETA_CLASS } from "../core/persistent-volume-claim-validation.ts";

/** Of a claim: it has had its volume. @spec component-helpers storage/volume pv_helpers.go */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** Of a claim or volume: the controller chose the other, not the user. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
/** Of a volume: who made it. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** Of a claim: who is to make its volume. */
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
export const BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
/** Of a claim: the node that the scheduler has chosen for its first Pod. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";

/** Keeps a claim while Pods on nodes use it. */
export const CLAIM_PROTECTION = "kubernetes.io/pvc-protection";
/** Keeps a volume while a claim has it. */
export const VOLUME_PROTECTION = "kubernetes.io/pv-protection";

/** Keeps a volume that a driver made and is to delete, until what it holds is gone. @spec component-helpers PVDeletionProtectionFinalizer */
export const CONTENT_PROTECTION = "external-provisioner.volume.kubernetes.io/finalizer";

/** Whether the claim says which class it wants, be it none (""). @spec PersistentVolumeClaimHasClass */
export function hasClass({ metadata, spec }: V1PersistentVolumeClaim): boolean {
  return (
    metadata?.annotations?.[BETA_CLASS] !== undefined ||
    (spec?.storageClassName !== undefined && spec.storageClassName !== null)
  );
}

/** Whether the volume is reserved for this claim, or has been given to it. @spec IsVolumeBoundToClaim */
export function isMeantFor(
  { spec }: V1PersistentVolume,
  { metadata }: V1PersistentVolumeClaim,
): boolean {
  const reference = spec?.claimRef;
  if (reference?.name !== metadata?.name || reference?.namespace !== metadata?.namespace)
    return false;
  return !reference?.uid || reference.uid === metadata?.uid;
}

/** Whether one is a file system and the other a device. @spec CheckVolumeModeMismatches */
export function hasOtherMode(
  { spec: volume }: V1PersistentVolume,
  { spec: claim }: V1PersistentVolumeClaim,
): boolean {
  return (volume?.volumeMode ?? "Filesystem") !== (claim?.volumeMode ?? "Filesystem");
}

/** The claims that a Pod uses, by name; those of its ephemeral volumes are named after both. @spec component-helpers ephemeral */
export function claimNamesOf({ metadata, spec }: V1Pod): readonly string[] {
  const names: string[] = [];
  for (const { name, persistentVolumeClaim, ephemeral } of spec?.volumes ?? [])
    if (persistentVolumeClaim) names.push(persistentVolumeClaim.claimName);
    else if (ephemeral) names.push(`${metadata?.name}-${name}`);
  return names;
}
