import type { V1VolumeAttributesClass } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, required } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { when, type Errors } from "../strategy/checks.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { validateParameters, validateProvisioner } from "./driver-rules.ts";

export type VolumeAttributesClass = V1VolumeAttributesClass;

export const VolumeAttributesClass: Kind<VolumeAttributesClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/storage/volumeattributesclass/strategy.go */
export const volumeAttributesClassResource: Resource<VolumeAttributesClass> = {
  kind: VolumeAttributesClass,
  singular: "volumeattributesclass",
  shortNames: ["vac"],
  strategy: plainStrategy<VolumeAttributesClass>({ validate, validateChange }),
  olderVersions: [sameForm(VolumeAttributesClass, "v1beta1", "1.34", "1.37")],
  columns: [
    nameColumn(),
    textColumn("DriverName", "Whose volumes it is for", ({ driverName }) => driverName ?? ""),
    ageColumn(),
  ],
};

/** @spec k8s@1.36 pkg/apis/storage/validation ValidateVolumeAttributesClass */
function validate({ driverName = "", parameters = {} }: VolumeAttributesClass): Errors {
  return [
    ...validateProvisioner(driverName, "driverName"),
    ...validateParameters(parameters, "parameters"),
    ...when(
      Object.keys(parameters).length === 0,
      required("parameters", "must contain at least one key/value pair"),
    ),
  ];
}

/** @spec ValidateVolumeAttributesClassUpdate */
function validateChange(one: VolumeAttributesClass, old: VolumeAttributesClass): Errors {
  return [
    ...when(
      one.driverName !== old.driverName,
      forbidden("driverName", "updates to driverName are forbidden."),
    ),
    ...when(
      !equalSemantic(one.parameters, old.parameters),
      forbidden("parameters", "updates to parameters are forbidden."),
    ),
  ];
}
