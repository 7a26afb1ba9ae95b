import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimSpec,
  V1TypedLocalObjectReference,
  V1TypedObjectReference,
} from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { canonicalQuantity, quantityProblem } from "../machinery/quantity.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn, wide } from "../strategy/columns.ts";
import {
  fill,
  mapField,
  statusStrategy,
  statusSubresource,
  withField,
} from "../strategy/strategy.ts";
import {
  BETA_CLASS,
  validateClaim,
  validateClaimChange,
  validateClaimStatus,
} from "./persistent-volume-claim-validation.ts";

export type PersistentVolumeClaim = V1PersistentVolumeClaim;

export const PersistentVolumeClaim: Kind<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/persistentvolumeclaim/strategy.go */
export const persistentVolumeClaimResource: Resource<PersistentVolumeClaim> = {
  kind: PersistentVolumeClaim,
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  strategy: statusStrategy<PersistentVolumeClaim>(
    { initialStatus: { phase: "Pending" }, countsGenerations: false },
    {
      withDefaults: withClaimDefaults,
      prepareForCreate: (claim) => mapField(claim, "spec", withBothSources),
      validate: validateClaim,
      validateChange: validateClaimChange,
    },
  ),
  subresources: { status: statusSubresource<PersistentVolumeClaim>(validateClaimStatus) },
  columns: [
    nameColumn(),
    textColumn("Status", "Whether the claim has a volume", formatPhase),
    textColumn("Volume", "The volume that it has", ({ spec }) => spec?.volumeName ?? ""),
    textColumn("Capacity", "What the volume holds", formatCapacity),
    textColumn("Access Modes", "How the volume may be used", ({ spec, status }) =>
      spec?.volumeName ? formatAccessModes(status?.accessModes) : "",
    ),
    textColumn("StorageClass", "Which class of volume is wanted", storageClassOf),
    textColumn(
      "VolumeAttributesClass",
      "Which class of attributes is wanted",
      ({ spec }) => spec?.volumeAttributesClassName ?? UNSET,
    ),
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

const UNSET = "<unset>";

/** @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_PersistentVolumeClaim */
export function withClaimDefaults(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const filled = mapField(claim, "spec", (spec) => fill(spec, { volumeMode: "Filesystem" }));
  return withField(filled, "status", fill(claim.status ?? {}, { phase: "Pending" }));
}

/**
 * A claim says what fills its volume in two fields: the older one for claims and snapshots, the newer one for anything.
 *
 * @spec k8s@1.36 pkg/api/persistentvolumeclaim EnforceDataSourceBackwardsCompatibility, NormalizeDataSources
 */
function withBothSources(spec: V1PersistentVolumeClaimSpec): V1PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !isOldSource(dataSource)) {
    return withField(spec, "dataSource", undefined);
  }
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: { ...dataSource } };
  if (!dataSource && dataSourceRef && !dataSourceRef.namespace && isOldSource(dataSourceRef)) {
    const { namespace: _, ...source } = dataSourceRef;
    return { ...spec, dataSource: source };
  }
  return spec;
}

function isOldSource({
  apiGroup,
  kind,
}: V1TypedLocalObjectReference | V1TypedObjectReference): boolean {
  return (
    (!apiGroup && kind === "PersistentVolumeClaim") ||
    (apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot")
  );
}

function formatPhase({ metadata, status }: PersistentVolumeClaim): string {
  return metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating";
}

function formatCapacity({ spec, status }: PersistentVolumeClaim): string {
  const storage = status?.capacity?.["storage"] ?? "0";
  if (!spec?.volumeName || quantityProblem(storage) !== undefined) return "";
  return canonicalQuantity(storage);
}

const SHORT_MODES: readonly (readonly [string, string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

/** `RWO,ROX`. @spec k8s@1.36 pkg/apis/core/helper GetAccessModesAsString */
export function formatAccessModes(modes: readonly string[] = []): string {
  return SHORT_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(",");
}

/** The class that a claim asks for, or that a volume is of; the annotation is the older way. @spec GetPersistentVolumeClaimClass, …VolumeClass */
export function storageClassOf({
  metadata,
  spec,
}: PersistentVolumeClaim | V1PersistentVolume): string {
  return metadata?.annotations?.[BETA_CLASS] ?? spec?.storageClassName ?? "";
}
