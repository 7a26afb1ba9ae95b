import type { StorageV1TokenRequest, V1CSIDriver, V1CSIDriverSpec } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { duplicate, invalid, notSupported, required } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Column, Resource } from "../machinery/resource.ts";
import { maybe, oneOf, when, type Errors } from "../strategy/checks.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { fill, mapField, plainStrategy, withField, withGeneration } from "../strategy/strategy.ts";

export type CSIDriver = V1CSIDriver;

export const CSIDriver: Kind<CSIDriver> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/storage/csidriver/strategy.go */
export const csiDriverResource: Resource<CSIDriver> = {
  kind: CSIDriver,
  singular: "csidriver",
  strategy: plainStrategy<CSIDriver>({
    withDefaults: (driver) => mapField(driver, "spec", withSpecDefaults),
    prepareForUpdate,
    validate: ({ spec }) => validateSpec(spec ?? {}),
    validateChange,
    allowsUnconditionalUpdate: false,
  }),
  olderVersions: [sameForm(CSIDriver, "v1beta1", "1.19", "1.22")],
  columns: [
    nameColumn(),
    flagColumn(
      "AttachRequired",
      "Whether its volumes are attached to a node first",
      (spec) => spec.attachRequired ?? true,
    ),
    flagColumn(
      "PodInfoOnMount",
      "Whether it is told which Pod a volume is mounted for",
      (spec) => spec.podInfoOnMount ?? false,
    ),
    flagColumn(
      "StorageCapacity",
      "Whether it says how much it can hold",
      (spec) => spec.storageCapacity ?? false,
    ),
    textColumn("TokenRequests", "For whom it wants tokens of the Pod", ({ spec }) =>
      spec?.tokenRequests
        ? spec.tokenRequests.map(({ audience }) => audience ?? "").join()
        : "<unset>",
    ),
    flagColumn(
      "RequiresRepublish",
      "Whether it is asked to mount again and again",
      (spec) => spec.requiresRepublish ?? false,
    ),
    textColumn(
      "Modes",
      "Whether its volumes outlive Pods",
      ({ spec }) => (spec?.volumeLifecycleModes ?? []).join() || "<none>",
    ),
    ageColumn(),
  ],
};

function flagColumn(
  name: string,
  description: string,
  flag: (spec: V1CSIDriverSpec) => boolean,
): Column<CSIDriver> {
  return {
    name,
    type: "boolean",
    description,
    priority: 0,
    cell: ({ spec }) => flag(spec ?? {}),
  };
}

/** @spec k8s@1.36 pkg/apis/storage/v1 SetDefaults_CSIDriver */
function withSpecDefaults(spec: V1CSIDriverSpec): V1CSIDriverSpec {
  const filled = fill(spec, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    requiresRepublish: false,
    seLinuxMount: false,
  });
  const hasModes = (filled.volumeLifecycleModes ?? []).length > 0;
  return hasModes ? filled : { ...filled, volumeLifecycleModes: ["Persistent"] };
}

/** A change of what may change is counted. */
function prepareForUpdate(driver: CSIDriver, old: CSIDriver): CSIDriver {
  const changing = ({ spec }: CSIDriver) =>
    mapField({ spec: spec ?? {} }, "spec", (one) =>
      withField(withField(one, "attachRequired", undefined), "volumeLifecycleModes", undefined),
    );
  const generation = old.metadata?.generation ?? 0;
  const isSame = equalSemantic(changing(driver), changing(old));
  return withGeneration(driver, isSame ? generation : generation + 1);
}

/** @spec k8s@1.36 pkg/apis/storage/validation validateCSIDriverSpec */
function validateSpec(spec: V1CSIDriverSpec): Errors {
  const needed = (value: unknown, field: string): Errors =>
    when(value === undefined, required(`spec.${field}`));
  const modes = ["Persistent", "Ephemeral"];
  return [
    ...needed(spec.attachRequired, "attachedRequired"),
    ...needed(spec.podInfoOnMount, "podInfoOnMount"),
    ...needed(spec.storageCapacity, "storageCapacity"),
    ...oneOf("spec.fsGroupPolicy", spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]),
    ...validateTokenRequests(spec.tokenRequests ?? []),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
      when(!modes.includes(mode), notSupported("spec.volumeLifecycleModes", mode, modes)),
    ),
    ...needed(spec.seLinuxMount, "seLinuxMount"),
    ...maybe(spec.nodeAllocatableUpdatePeriodSeconds, (seconds) =>
      when(
        seconds < 10,
        invalid(
          "spec.nodeAllocatableUpdatePeriodSeconds",
          seconds,
          "must be greater than or equal to 10 seconds",
        ),
      ),
    ),
    ...when(
      spec.serviceAccountTokenInSecrets !== undefined && !spec.tokenRequests?.length,
      invalid(
        "spec.serviceAccountTokenInSecrets",
        spec.serviceAccountTokenInSecrets,
        "serviceAccountTokenInSecrets is only valid when tokenRequests is specified",
      ),
    ),
  ];
}

function validateTokenRequests(requests: readonly StorageV1TokenRequest[]): Errors {
  const audiences = requests.map(({ audience }) => audience ?? "");
  return requests.flatMap(({ expirationSeconds: seconds }, index) => {
    const field = `spec.tokenRequests[${index}]`;
    const audience = audiences[index]!;
    if (audiences.indexOf(audience) < index) return [duplicate(`${field}.audience`, audience)];
    const wrong = (rule: string) => invalid(`${field}.expirationSeconds`, seconds, rule);
    return maybe(seconds, (value) => [
      ...when(value < 600, wrong("may not specify a duration less than 10 minutes")),
      ...when(value > 2 ** 32, wrong("may not specify a duration larger than 2^32 seconds")),
    ]);
  });
}

/** @spec ValidateCSIDriverUpdate */
function validateChange({ spec }: CSIDriver, { spec: old }: CSIDriver): Errors {
  const fixed = (field: "attachRequired" | "volumeLifecycleModes", path: string): Errors =>
    when(
      !equalSemantic(spec?.[field], old?.[field]),
      invalid(`spec.${path}`, spec?.[field], FIELD_IMMUTABLE),
    );
  return [
    ...fixed("attachRequired", "attachedRequired"),
    ...fixed("volumeLifecycleModes", "volumeLifecycleModes"),
  ];
}
