import type { V1PersistentVolume } from "../../gen/types.ts";
import { formatTime, type Instant } from "../../base/clock.ts";
import type { Kind } from "../machinery/kind.ts";
import { canonicalQuantity, quantityProblem } from "../machinery/quantity.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn, wide } from "../strategy/columns.ts";
import { fill, mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { BETA_CLASS } from "./persistent-volume-claim-validation.ts";
import { formatAccessModes } from "./persistent-volume-claim.ts";
import { validateVolume, validateVolumeChange } from "./persistent-volume-validation.ts";

export type PersistentVolume = V1PersistentVolume;

export const PersistentVolume: Kind<PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  isNamespaced: false,
};

const UNSET = "<unset>";

/** @spec k8s@1.36 pkg/registry/core/persistentvolume/strategy.go */
export const persistentVolumeResource: Resource<PersistentVolume> = {
  kind: PersistentVolume,
  singular: "persistentvolume",
  shortNames: ["pv"],
  strategy: statusStrategy<PersistentVolume>(
    { initialStatus: {}, countsGenerations: false },
    {
      withDefaults,
      prepareForCreate: (volume, { now }) => ({
        ...volume,
        status: { phase: "Pending", lastPhaseTransitionTime: formatTime(now) },
      }),
      validate: validateVolume,
      validateChange: validateVolumeChange,
    },
  ),
  subresources: {
    status: {
      ...statusSubresource<PersistentVolume>(),
      prepareForUpdate: (volume, old, { now }) =>
        withPhaseTime({ ...volume, spec: old.spec! }, old, now),
    },
  },
  columns: [
    nameColumn(),
    textColumn("Capacity", "What the volume holds", formatCapacity),
    textColumn("Access Modes", "How the volume may be used", ({ spec }) =>
      formatAccessModes(spec?.accessModes),
    ),
    textColumn(
      "Reclaim Policy",
      "What becomes of the volume when its claim has gone",
      ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? "",
    ),
    textColumn("Status", "Whether a claim has the volume", formatPhase),
    textColumn("Claim", "The claim that has it", ({ spec }) =>
      spec?.claimRef ? `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}` : "",
    ),
    textColumn(
      "StorageClass",
      "The class of the volume",
      ({ metadata, spec }) => metadata?.annotations?.[BETA_CLASS] ?? spec?.storageClassName ?? "",
    ),
    textColumn(
      "VolumeAttributesClass",
      "The class of its attributes",
      ({ spec }) => spec?.volumeAttributesClassName ?? UNSET,
    ),
    textColumn("Reason", "Why it is in its status", ({ status }) => status?.reason ?? ""),
    ageColumn(),
    wide(
      textColumn(
        "VolumeMode",
        "Whether the volume is a file system or a device",
        ({ spec }) => spec?.volumeMode ?? UNSET,
      ),
    ),
  ],
  selectableFields: { name: ({ metadata }) => metadata?.name ?? "" },
};

/** @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_PersistentVolume */
function withDefaults(volume: PersistentVolume): PersistentVolume {
  const filled = mapField(volume, "spec", (spec) =>
    fill(spec, { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" }),
  );
  return { ...filled, status: fill(volume.status ?? {}, { phase: "Pending" }) };
}

/** When the phase changed last, unless who changes it says when. @spec statusStrategy PrepareForUpdate */
function withPhaseTime(
  volume: PersistentVolume,
  { status: old }: PersistentVolume,
  now: Instant,
): PersistentVolume {
  const { status } = volume;
  const isSaid = status?.lastPhaseTransitionTime !== old?.lastPhaseTransitionTime;
  if (status?.phase === old?.phase || (isSaid && status?.lastPhaseTransitionTime)) return volume;
  return { ...volume, status: { ...status, lastPhaseTransitionTime: formatTime(now) } };
}

function formatPhase({ metadata, status }: PersistentVolume): string {
  return metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating";
}

function formatCapacity({ spec }: PersistentVolume): string {
  const storage = spec?.capacity?.["storage"] ?? "0";
  return quantityProblem(storage) === undefined ? canonicalQuantity(storage) : "";
}
