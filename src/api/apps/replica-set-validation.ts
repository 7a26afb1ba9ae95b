import type { V1ReplicaSet } from "../../gen/types.ts";
import { required } from "../machinery/field-error.ts";
import { nonNegative, type Errors } from "../strategy/checks.ts";
import { validateSelectedTemplate } from "../core/template-validation.ts";

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateReplicaSetSpec */
export function validateReplicaSet({ spec }: V1ReplicaSet): Errors {
  if (spec === undefined) return [required("spec.selector"), required("spec.template")];
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateSelectedTemplate(spec, "spec"),
  ];
}
