import type { V1PersistentVolumeClaimStatus } from "../../gen/types.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { compareQuantities, parseQuantity } from "../../api/machinery/quantity.ts";
import { withField } from "../../api/strategy/strategy.ts";
import { OWN_DRIVER } from "../../api/storage/own-volumes.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { reads } from "../../reconciler/ownership.ts";

export interface Observed {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

/**
 * Lets claims grow. A folder of the cluster's own driver has no size, so that its volume grows by what is written of it.
 *
 * @spec k8s@1.36 pkg/controller/volume/expand/expand_controller.go; external-resizer pkg/controller
 */
export const expandController = defineController<PersistentVolumeClaim, Observed>({
  name: "persistentvolume-expander-controller",
  eventSource: "volume_expand",
  primary: PersistentVolumeClaim,
  triggers: [reads(PersistentVolume)],
  observe(cache, key) {
    const claim = cache.get(PersistentVolumeClaim, key);
    if (!claim || claim.status?.phase !== "Bound") return undefined;
    const name = claim.spec?.volumeName ?? "";
    const volume = cache.get(PersistentVolume, { namespace: "", name });
    const isTheirs = volume?.spec?.claimRef?.uid === claim.metadata?.uid;
    return volume && isTheirs ? { claim, volume } : undefined;
  },
  plan,
});

/** Pure; see {@link expandController}. */
export function plan({ claim, volume }: Observed): Plan {
  const wanted = claim.spec?.resources?.requests?.["storage"] ?? "0";
  if (!isMore(wanted, claim.status?.capacity?.["storage"])) return {};
  if (volume.spec?.csi?.driver !== OWN_DRIVER) {
    const message = "waiting for an external controller to expand this PVC";
    return { events: [{ type: "Normal", reason: "ExternalExpanding", message }] };
  }
  const { name } = volume.metadata ?? {};
  const resizing = `External resizer is resizing volume ${name}`;
  const isGrown = !isMore(wanted, volume.spec.capacity?.["storage"]);
  const object: PersistentVolume = {
    ...volume,
    spec: { ...volume.spec, capacity: { storage: wanted } },
  };
  return {
    writes: isGrown ? [] : [{ verb: "update", kind: PersistentVolume, object }],
    status: grown(claim.status ?? {}, wanted),
    statusOnFailure: () => claim.status ?? {},
    events: [
      { type: "Normal", reason: "Resizing", message: resizing },
      {
        type: "Normal",
        reason: "VolumeResizeSuccessful",
        message: "Resize volume succeeded",
        ...(isGrown ? {} : { afterWrite: 0 }),
      },
    ],
  };
}

function isMore(wanted: string, held = "0"): boolean {
  return compareQuantities(parseQuantity(wanted), parseQuantity(held)) > 0;
}

/** The size, and no word of growing. */
function grown(status: V1PersistentVolumeClaimStatus, storage: string): object {
  const conditions = (status.conditions ?? []).filter(
    ({ type }) => type !== "Resizing" && type !== "FileSystemResizePending",
  );
  return withField(
    {
      ...status,
      capacity: { ...status.capacity, storage },
      allocatedResources: { ...status.allocatedResources, storage },
    },
    "conditions",
    conditions.length > 0 ? conditions : undefined,
  );
}
