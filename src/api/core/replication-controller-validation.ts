import type { V1ReplicationController } from "../../gen/types.ts";
import { required } from "../machinery/field-error.ts";
import { selectorOfLabels } from "../machinery/label-selector.ts";
import { nonNegative, when, type Errors } from "../strategy/checks.ts";
import { validateMatchedTemplate } from "./template-validation.ts";

/** @spec k8s@1.36 pkg/apis/core/validation ValidateReplicationControllerSpec */
export function validateReplicationController({ spec }: V1ReplicationController): Errors {
  const { selector = {}, template } = spec ?? {};
  return [
    ...nonNegative("spec.minReadySeconds", spec?.minReadySeconds),
    ...when(Object.keys(selector).length === 0, required("spec.selector")),
    ...nonNegative("spec.replicas", spec?.replicas),
    ...(template === undefined
      ? [required("spec.template")]
      : validateMatchedTemplate(
          selectorOfLabels(selector),
          template,
          "spec.template",
          "ReplicationController",
        )),
  ];
}
