import type { V1LabelSelector, V1PodTemplateSpec } from "../../gen/types.ts";
import { podSpecWarnings } from "../core/pod-warnings.ts";
import { validatePodSpec } from "../core/pod-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateQualifiedName } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { invalids, when, type Errors } from "../strategy/checks.ts";
import { validateLabels } from "../machinery/object-meta-validation.ts";
import { labelSelectorOf, validateLabelSelector } from "../machinery/label-selector.ts";

/** A pod template of any workload. @spec k8s@1.36 pkg/apis/core/validation ValidatePodTemplateSpec */
export function validateTemplate(template: V1PodTemplateSpec, field: string): Errors {
  const spec = template.spec ?? { containers: [] };
  const annotations = Object.keys(template.metadata?.annotations ?? {});
  return [
    ...validateLabels(template.metadata?.labels, `${field}.labels`),
    ...annotations.flatMap((key) =>
      invalids(`${field}.annotations`, key, validateQualifiedName(key.toLowerCase())),
    ),
    ...validatePodSpec(spec, `${field}.spec`),
    ...when(
      (spec.ephemeralContainers ?? []).length > 0,
      forbidden(
        `${field}.spec.ephemeralContainers`,
        "ephemeral containers not allowed in pod template",
      ),
    ),
  ];
}

/**
 * Selector and template of a workload whose pods run for ever.
 *
 * @spec k8s@1.36 pkg/apis/apps/validation ValidatePodTemplateSpecForReplicaSet
 */
export function validateSelectedTemplate(
  spec: { readonly selector?: V1LabelSelector; readonly template?: V1PodTemplateSpec },
  path: string,
): Errors {
  const { selector, template } = spec;
  if (selector === undefined) return [required(`${path}.selector`)];
  const selectorErrors = validateLabelSelector(selector, `${path}.selector`);
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const isEmpty = Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
  const emptiness = when(
    isEmpty,
    invalid(`${path}.selector`, selector, "empty selector is invalid for deployment"),
  );
  if (template === undefined)
    return [...selectorErrors, ...emptiness, required(`${path}.template`)];
  const labels = template.metadata?.labels ?? {};
  const isMatching =
    isEmpty || selectorErrors.length > 0 || labelSelectorOf(selector).matches(labels);
  return [
    ...selectorErrors,
    ...emptiness,
    ...when(
      !isMatching,
      invalid(
        `${path}.template.metadata.labels`,
        labels,
        "`selector` does not match template `labels`",
      ),
    ),
    ...validateTemplate(template, `${path}.template`),
    ...validateForever(template, `${path}.template.spec`),
  ];
}

function validateForever({ spec }: V1PodTemplateSpec, path: string): Errors {
  return [
    ...when(
      spec?.restartPolicy !== "Always",
      notSupported(`${path}.restartPolicy`, spec?.restartPolicy ?? "", ["Always"]),
    ),
    ...when(
      spec?.activeDeadlineSeconds !== undefined,
      forbidden(
        `${path}.activeDeadlineSeconds`,
        "activeDeadlineSeconds in ReplicaSet is not Supported",
      ),
    ),
  ];
}

/** Warnings of a template that is new or changed. */
export function templateWarnings(
  spec: { readonly template?: V1PodTemplateSpec } | undefined,
  old: { readonly template?: V1PodTemplateSpec } | undefined,
): readonly string[] {
  const isKnown = old !== undefined && equalSemantic(spec?.template, old.template);
  return isKnown ? [] : podSpecWarnings(spec?.template?.spec, "spec.template.spec");
}

/** Selectors stay: pods of the old one would be nobody's. */
export function unchangedSelector(
  spec: { readonly selector?: V1LabelSelector } | undefined,
  old: { readonly selector?: V1LabelSelector } | undefined,
): Errors {
  return when(
    !equalSemantic(spec?.selector, old?.selector),
    invalid("spec.selector", spec?.selector, FIELD_IMMUTABLE),
  );
}
