import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { VOLUME_PROTECTION } from "../../api/storage/binding.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { hasFinalizer, withFinalizer } from "../../reconciler/finalizers.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/**
 * Keeps a volume that is being deleted until no claim has it.
 *
 * @spec k8s@1.36 pkg/controller/volume/pvprotection/pv_protection_controller.go
 */
export const pvProtectionController = defineController<PersistentVolume, PersistentVolume>({
  name: "persistentvolume-protection-controller",
  primary: PersistentVolume,
  triggers: [],
  observe: (cache, key) => cache.get(PersistentVolume, key),
  plan,
});

/** Pure. Volumes from before the finalizer get it. */
export function plan(volume: PersistentVolume): Plan {
  const isKept = hasFinalizer(volume, VOLUME_PROTECTION);
  if (isBeingDeleted(volume) !== isKept) return {};
  if (isKept && volume.status?.phase === "Bound") return {};
  const object = withFinalizer(volume, VOLUME_PROTECTION, !isKept);
  return { writes: [{ verb: "update", kind: PersistentVolume, object }] };
}
