import type {
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimSpec,
  V1TypedObjectReference,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateLabelSelector } from "../machinery/label-selector.ts";
import { validateDnsSubdomain } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { compareQuantities, parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { invalids, maybe, NOT_POSITIVE, oneOf, when, type Errors } from "../strategy/checks.ts";
import { withField } from "../strategy/strategy.ts";
import { describeDifference } from "./pod-difference.ts";
import { validateAmounts } from "./resource-validation.ts";

/** The storage class of claims from before the field. */
export const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/** @spec k8s@1.36 pkg/apis/core/validation ValidatePersistentVolumeClaim */
export function validateClaim({ spec }: V1PersistentVolumeClaim): Errors {
  return validateClaimSpec(spec ?? {}, "spec");
}

/** The spec of a claim, or of a template of one. @spec ValidatePersistentVolumeClaimSpec */
export function validateClaimSpec(spec: V1PersistentVolumeClaimSpec, path: string): Errors {
  const { dataSource, dataSourceRef } = spec;
  const className = (field: "storageClassName" | "volumeAttributesClassName"): Errors => {
    const name = spec[field];
    return name ? invalids(`${path}.${field}`, name, validateDnsSubdomain(name)) : [];
  };
  const { namespace: _, ...ref } = dataSourceRef ?? {};
  return [
    ...validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`),
    ...maybe(spec.selector, (selector) => validateLabelSelector(selector, `${path}.selector`)),
    ...validateStorage(spec.resources?.requests?.["storage"], `${path}.resources[storage]`),
    ...className("storageClassName"),
    ...oneOf(`${path}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]),
    ...maybe(dataSource, (source) => validateSource(source, `${path}.dataSource`)),
    ...maybe(dataSourceRef, (source) => validateSource(source, `${path}.dataSourceRef`)),
    ...when(
      !!dataSource && !!dataSourceRef && !equalSemantic(dataSource, ref),
      invalid(path, `${path}.dataSource`, "must match dataSourceRef"),
    ),
    ...className("volumeAttributesClassName"),
  ];
}

/** `rule`: how it is said that there must be one. */
export function validateAccessModes(
  modes: readonly string[],
  field: string,
  rule = "at least 1 access mode is required",
): Errors {
  const isAlone = "ReadWriteOncePod";
  return [
    ...when(modes.length === 0, required(field, rule)),
    ...modes.flatMap((mode) =>
      when(!ACCESS_MODES.includes(mode), notSupported(field, mode, ACCESS_MODES)),
    ),
    ...when(
      modes.includes(isAlone) && modes.some((mode) => mode !== isAlone),
      forbidden(field, "may not use ReadWriteOncePod with other access modes"),
    ),
  ];
}

function validateStorage(storage: string | undefined, field: string): Errors {
  if (storage === undefined) return [required(field)];
  const problem = quantityProblem(storage);
  if (problem !== undefined) return [invalid(field, storage, problem)];
  return when(parseQuantity(storage).nanos <= 0n, invalid(field, storage, NOT_POSITIVE));
}

function validateSource({ apiGroup, kind, name }: V1TypedObjectReference, field: string): Errors {
  return [
    ...when(!name, required(`${field}.name`)),
    ...when(!kind, required(`${field}.kind`)),
    ...when(!apiGroup && kind !== "PersistentVolumeClaim", invalid(field, kind, "")),
  ];
}

const IMMUTABLE_SPEC =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** @spec ValidatePersistentVolumeClaimUpdate */
export function validateClaimChange(
  claim: V1PersistentVolumeClaim,
  old: V1PersistentVolumeClaim,
): Errors {
  const isUpgraded = isClassUpgrade(claim, old);
  const was = old.metadata?.annotations?.[BETA_CLASS];
  const is = claim.metadata?.annotations?.[BETA_CLASS];
  const wanted = comparable(claim, old, isUpgraded);
  const differences = describeDifference(old.spec, wanted, "spec");
  const { volumeAttributesClassName: attributes } = claim.spec ?? {};
  return [
    ...when(
      !isUpgraded && was !== is,
      invalid(`metadata.annotations.${BETA_CLASS}`, is ?? "", FIELD_IMMUTABLE),
    ),
    ...when(differences.length > 0, forbidden("spec", [IMMUTABLE_SPEC, ...differences].join("\n"))),
    ...when(
      old.spec?.volumeAttributesClassName !== undefined && attributes === undefined,
      forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"),
    ),
    ...validateNewSize(claim, old),
  ];
}

/** The spec with what may change put back: the volume once, and of a bound claim its size and attributes. */
function comparable(
  { spec = {}, status }: V1PersistentVolumeClaim,
  { spec: old = {} }: V1PersistentVolumeClaim,
  isUpgraded: boolean,
): V1PersistentVolumeClaimSpec {
  const isBound = status?.phase === "Bound";
  const named = old.volumeName ? spec : withField(spec, "volumeName", old.volumeName);
  const classed = isUpgraded ? withField(named, "storageClassName", old.storageClassName) : named;
  if (!isBound) return classed;
  const requests = { ...spec.resources?.requests };
  const before = old.resources?.requests?.["storage"];
  if (before !== undefined) requests["storage"] = before;
  const sized = withField(classed, "resources", { ...spec.resources, requests });
  return withField(sized, "volumeAttributesClassName", old.volumeAttributesClassName);
}

/** A class may be given to a claim that has none, also when it moves from the annotation. @spec validateStorageClassUpgradeFromNil, …FromAnnotation */
function isClassUpgrade(claim: V1PersistentVolumeClaim, old: V1PersistentVolumeClaim): boolean {
  const annotation = old.metadata?.annotations?.[BETA_CLASS];
  const name = claim.spec?.storageClassName;
  if (old.spec?.storageClassName !== undefined || name === undefined) return false;
  if (annotation === undefined) return true;
  return annotation === name && claim.metadata?.annotations?.[BETA_CLASS] === undefined;
}

/** A failed growth may be taken back, down to what the volume holds. */
function validateNewSize(claim: V1PersistentVolumeClaim, old: V1PersistentVolumeClaim): Errors {
  const sizeOf = (text: string | undefined) =>
    parseQuantity(text === undefined || quantityProblem(text) !== undefined ? "0" : text);
  const size = sizeOf(claim.spec?.resources?.requests?.["storage"]);
  const before = sizeOf(old.spec?.resources?.requests?.["storage"]);
  const held = sizeOf(old.status?.capacity?.["storage"]);
  return when(
    compareQuantities(size, before) < 0 && compareQuantities(size, held) <= 0,
    forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"),
  );
}

/** @spec ValidatePersistentVolumeClaimStatusUpdate */
export function validateClaimStatus({ spec, status }: V1PersistentVolumeClaim): Errors {
  return [
    ...when((spec?.accessModes ?? []).length === 0, required("Spec.accessModes")),
    ...validateAmounts(status?.capacity ?? {}, "status.capacity"),
  ];
}
