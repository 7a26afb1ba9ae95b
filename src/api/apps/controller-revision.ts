import type { V1ControllerRevision } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid, required } from "../machinery/field-error.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { nonNegative, when, type Errors } from "../strategy/checks.ts";
import { olderControllerRevisions } from "./older-versions.ts";

export type ControllerRevision = V1ControllerRevision;

export const ControllerRevision: Kind<ControllerRevision> = {
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/apps/controllerrevision/strategy.go */
export const controllerRevisionResource: Resource<ControllerRevision> = {
  kind: ControllerRevision,
  singular: "controllerrevision",
  strategy: plainStrategy<ControllerRevision>({ validate: validateRevision, validateChange }),
  olderVersions: olderControllerRevisions,
  columns: [
    nameColumn(),
    textColumn("Controller", "Whose revision it is", formatController),
    textColumn("Revision", "Number of the revision", (object) => object.revision ?? 0),
    ageColumn(),
  ],
};

/** `statefulset.apps/web`. */
function formatController(revision: ControllerRevision): string {
  const owner = revision.metadata?.ownerReferences?.find(({ controller }) => controller);
  if (owner === undefined) return "<none>";
  const slash = owner.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateControllerRevision */
function validateRevision({ data, revision }: ControllerRevision): Errors {
  return [
    ...when(data === undefined || data === null, required("data", "data is mandatory")),
    ...nonNegative("revision", revision),
  ];
}

/** A revision is history: its content stays. @spec ValidateControllerRevisionUpdate */
function validateChange({ data }: ControllerRevision, old: ControllerRevision): Errors {
  return when(!equalSemantic(data, old.data), invalid("data", data, FIELD_IMMUTABLE));
}
