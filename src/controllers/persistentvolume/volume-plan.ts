import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { withField } from "../../api/strategy/strategy.ts";
import {
  BOUND_BY_CONTROLLER,
  CONTENT_PROTECTION,
  hasOtherMode,
  PROVISIONED_BY,
} from "../../api/storage/binding.ts";
import { OWN_DRIVER, ownVolumeProblem } from "../../api/storage/own-volumes.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { withFinalizer } from "../../reconciler/finalizers.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { driverOf } from "./moved-drivers.ts";

export interface VolumeObserved {
  readonly volume: PersistentVolume;
  /** The claim that the volume names, of the uid that it names. */
  readonly claim: PersistentVolumeClaim | undefined;
}

/** One volume; pure. @spec k8s@1.36 pv_controller.go syncVolume */
export function planVolume({ volume, claim }: VolumeObserved): Plan {
  const kept = withContentKept(volume);
  if (kept !== volume)
    return { writes: [{ verb: "update", kind: PersistentVolume, object: kept }] };
  const problem = ownVolumeProblem(volume);
  const isGiven = Boolean(volume.spec?.claimRef?.uid);
  if (isGiven && !claim) return planReleased(volume);
  // It can be nobody's.
  if (problem !== undefined && !claim?.spec?.volumeName)
    return failed(volume, "InvalidVolumeHandle", problem);
  // Reserved for a claim that it was not given to yet: the claim sees to it.
  if (!isGiven || !claim) return inPhase(volume, "Available");
  const { name } = volume.metadata ?? {};
  if (!claim.spec?.volumeName) return hasOtherMode(volume, claim) ? mismatched(volume, claim) : {};
  if (claim.spec.volumeName === name) return inPhase(volume, "Bound");
  const isMade = volume.metadata?.annotations?.[PROVISIONED_BY] !== undefined;
  const isDisposable = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
  return isMade && isDisposable ? planReleased(volume) : unbind(volume);
}

/**
 * What the cluster's own volume holds is kept from its deletion if it is to be deleted with it: by policy, which users change.
 *
 * @spec sig-storage-lib-external-provisioner syncVolume; pv_controller.go modifyDeletionFinalizers
 */
function withContentKept(volume: PersistentVolume): PersistentVolume {
  if (volume.metadata?.annotations?.[PROVISIONED_BY] !== OWN_DRIVER) return volume;
  const isWanted = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
  if (isWanted && isBeingDeleted(volume)) return volume;
  return withFinalizer(volume, CONTENT_PROTECTION, isWanted);
}

/** A step each: first it is said that the volume is released, then what its policy wants is done. */
function planReleased(volume: PersistentVolume): Plan {
  const phase = volume.status?.phase;
  if (phase !== "Released" && phase !== "Failed") return inPhase(volume, "Released");
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case "Retain":
      return {};
    case "Recycle":
      return failed(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!");
    case "Delete": {
      const why = whyUndeletable(volume);
      return why === undefined ? {} : failed(volume, "VolumeFailedDelete", why);
    }
    default:
      return failed(
        volume,
        "VolumeUnknownReclaimPolicy",
        "Volume has unrecognized PersistentVolumeReclaimPolicy",
      );
  }
}

/**
 * Why nobody will delete it. `undefined`: a driver will; of the cluster's own volumes, a kubelet.
 *
 * @spec findDeletablePlugin; pkg/volume/hostpath Delete. The folders of hostPath volumes are nodes', not this process's, also below /tmp.
 */
function whyUndeletable(volume: PersistentVolume): string | undefined {
  const { metadata, spec } = volume;
  const problem = ownVolumeProblem(volume);
  if (problem !== undefined) return problem;
  const maker = driverOf(metadata?.annotations?.[PROVISIONED_BY] ?? "");
  if (maker !== "")
    return maker.startsWith("kubernetes.io/")
      ? `no volume plugin matched name: ${maker}`
      : undefined;
  if (spec?.csi) return undefined;
  const path = spec?.hostPath?.path;
  if (path !== undefined && !/^\/tmp\/.+/.test(path))
    return `host_path deleter only supports /tmp/.+ but received provided ${path}`;
  return `error getting deleter volume plugin for volume "${metadata?.name}": no deletable volume plugin matched`;
}

/** It was given to a claim that has another: free again, or reserved as before. @spec unbindVolume */
function unbind(volume: PersistentVolume): Plan {
  const { [BOUND_BY_CONTROLLER]: chosen, ...rest } = volume.metadata?.annotations ?? {};
  const annotations = Object.keys(rest).length > 0 ? rest : undefined;
  const { uid: _, ...reserved } = volume.spec!.claimRef!;
  const object: PersistentVolume = {
    ...volume,
    metadata: withField(volume.metadata!, "annotations", annotations),
    spec: withField(volume.spec!, "claimRef", chosen === undefined ? reserved : undefined),
  };
  return {
    writes: [{ verb: "update", kind: PersistentVolume, object }],
    ...inPhase(volume, "Available"),
    statusOnFailure: () => volume.status ?? {},
  };
}

function mismatched(volume: PersistentVolume, claim: PersistentVolumeClaim): Plan {
  const name = (one: PersistentVolume | PersistentVolumeClaim) => one.metadata?.name;
  const warn = (what: string, whom: string, regarding: object) => ({
    type: "Warning" as const,
    reason: "VolumeMismatch",
    message: `Cannot bind ${what} to requested ${whom} due to incompatible volumeMode.`,
    regarding,
  });
  return {
    events: [
      warn("PersistentVolume", `PersistentVolumeClaim "${name(claim)}"`, volume),
      warn(`PersistentVolume "${name(volume)}"`, "PersistentVolumeClaim", claim),
    ],
  };
}

function inPhase({ status }: PersistentVolume, phase: string): Plan {
  if (status?.phase === phase) return {};
  return { status: withField({ ...status, phase }, "message", undefined) };
}

/** Said once: the phase tells from then on. @spec updateVolumePhaseWithEvent */
function failed({ status }: PersistentVolume, reason: string, message: string): Plan {
  if (status?.phase === "Failed") return {};
  return {
    status: { ...status, phase: "Failed", message },
    events: [{ type: "Warning", reason, message }],
  };
}
