import type { V1StorageClass, V1TopologySelectorTerm } from "../../gen/types.ts";
import { OLD_LABELS } from "../core/pod-warnings.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { duplicate, forbidden, invalid, required } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { FIELD_IMMUTABLE, validateLabelName } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Column, Resource } from "../machinery/resource.ts";
import { each, oneOf, requiredOneOf, unique, when, type Errors } from "../strategy/checks.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { fill, plainStrategy } from "../strategy/strategy.ts";
import { validateParameters, validateProvisioner } from "./driver-rules.ts";

export type StorageClass = V1StorageClass;

export const StorageClass: Kind<StorageClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  isNamespaced: false,
};

/** "true" makes a class the one of claims that name none; the second is from before. @spec pkg/apis/storage/util IsDefaultAnnotation */
export const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
export const BETA_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class";

/** @spec k8s@1.36 pkg/registry/storage/storageclass/strategy.go */
export const storageClassResource: Resource<StorageClass> = {
  kind: StorageClass,
  singular: "storageclass",
  shortNames: ["sc"],
  strategy: plainStrategy<StorageClass>({
    withDefaults: (one) => fill(one, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
    validate,
    validateChange,
    warnings,
  }),
  olderVersions: [sameForm(StorageClass, "v1beta1", "1.19", "1.22")],
  columns: [
    { ...nameColumn<StorageClass>(), cell: formatName },
    textColumn("Provisioner", "Who makes its volumes", ({ provisioner }) => provisioner ?? ""),
    textColumn(
      "ReclaimPolicy",
      "What becomes of its volumes when their claims have gone",
      ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
    ),
    textColumn(
      "VolumeBindingMode",
      "Whether a claim waits for its first Pod",
      ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    ),
    expansionColumn(),
    ageColumn(),
  ],
};

/** Whether claims without a class get this one. */
export function isDefaultClass({ metadata }: StorageClass): boolean {
  const { [DEFAULT_CLASS]: is, [BETA_DEFAULT_CLASS]: was } = metadata?.annotations ?? {};
  return is === "true" || was === "true";
}

/** Of several default classes the youngest, then the first by name. @spec pkg/volume/util GetDefaultClass */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes.filter(isDefaultClass).reduce<StorageClass | undefined>((best, one) => {
    if (!best) return one;
    const age = (it: StorageClass): string => it.metadata?.creationTimestamp ?? "";
    if (age(one) !== age(best)) return age(one) > age(best) ? one : best;
    return one.metadata!.name! < best.metadata!.name! ? one : best;
  }, undefined);
}

function formatName(one: StorageClass): string {
  return `${one.metadata?.name ?? ""}${isDefaultClass(one) ? " (default)" : ""}`;
}

function expansionColumn(): Column<StorageClass> {
  return {
    name: "AllowVolumeExpansion",
    type: "boolean",
    description: "Whether its claims may grow",
    priority: 0,
    cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
  };
}

/** @spec k8s@1.36 pkg/apis/storage/validation ValidateStorageClass */
function validate(one: StorageClass): Errors {
  return [
    ...validateProvisioner(one.provisioner ?? "", "provisioner"),
    ...validateParameters(one.parameters ?? {}, "parameters"),
    ...oneOf("reclaimPolicy", one.reclaimPolicy, ["Delete", "Retain"]),
    ...requiredOneOf("volumeBindingMode", one.volumeBindingMode, [
      "Immediate",
      "WaitForFirstConsumer",
    ]),
    ...validateTopologies(one.allowedTopologies ?? []),
  ];
}

/** A term that says the same as one before, or nothing, is a duplicate. @spec validateAllowedTopologies */
function validateTopologies(terms: readonly V1TopologySelectorTerm[]): Errors {
  const meanings = terms.map(meaningOf);
  return each(terms, "allowedTopologies", (term, path, index) => [
    ...each(term.matchLabelExpressions, `${path}.matchLabelExpressions`, (one, field) => [
      ...when((one.values ?? []).length === 0, required(`${field}.values`)),
      ...unique(
        one.values,
        (at) => `${field}.values[${at}]`,
        (value) => value,
      ),
      ...validateLabelName(one.key ?? "", `${field}.key`),
    ]),
    ...unique(
      term.matchLabelExpressions,
      (at) => `${path}.matchLabelExpressions[${at}].key`,
      ({ key }) => key,
    ),
    ...when(
      meanings[index] === "" || meanings.indexOf(meanings[index]!) < index,
      duplicate(`${path}.matchLabelExpressions`, ""),
    ),
  ]);
}

/** The same text for terms that mean the same. */
function meaningOf({ matchLabelExpressions = [] }: V1TopologySelectorTerm): string {
  return matchLabelExpressions
    .map(({ key, values = [] }) => JSON.stringify([key, [...new Set(values)].sort()]))
    .sort()
    .join();
}

/** @spec ValidateStorageClassUpdate */
function validateChange(one: StorageClass, old: StorageClass): Errors {
  const fixed = (field: "provisioner" | "reclaimPolicy"): Errors =>
    when(one[field] !== old[field], forbidden(field, `updates to ${field} are forbidden.`));
  return [
    ...when(
      !equalSemantic(one.parameters, old.parameters),
      forbidden("parameters", "updates to parameters are forbidden."),
    ),
    ...fixed("provisioner"),
    ...fixed("reclaimPolicy"),
    ...when(
      one.volumeBindingMode !== old.volumeBindingMode,
      invalid("volumeBindingMode", one.volumeBindingMode, FIELD_IMMUTABLE),
    ),
  ];
}

/** @spec k8s@1.36 pkg/api/storage GetWarningsForStorageClass */
function warnings({ allowedTopologies = [] }: StorageClass): readonly string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, term) =>
    matchLabelExpressions.flatMap(({ key }, at) =>
      Object.hasOwn(OLD_LABELS, key)
        ? [
            `allowedTopologies[${term}].matchLabelExpressions[${at}].key: ${key} is ${OLD_LABELS[key]}`,
          ]
        : [],
    ),
  );
}
