import type { V1LabelSelector, V1PodTemplateSpec } from "../../gen/types.ts";
import { podSpecWarnings } from "./pod-warnings.ts";
import { validatePodSpec } from "./pod-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import {
  errorsOfEach,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../machinery/field-error.ts";
import type { KubeObject } from "../machinery/object.ts";
import { validateDnsLabel, validateQualifiedName } from "../machinery/names.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { invalids, when, type Errors } from "../strategy/checks.ts";
import { validateLabels } from "../machinery/object-meta-validation.ts";
import {
  labelSelectorOf,
  selectorOfLabels,
  validateLabelSelector,
  type LabelSelector,
} from "../machinery/label-selector.ts";

/** A pod template of any workload. @spec k8s@1.36 pkg/apis/core/validation ValidatePodTemplateSpec */
export function validateTemplate(template: V1PodTemplateSpec, field: string): Errors {
  const spec = template.spec ?? { containers: [] };
  const annotations = Object.keys(template.metadata?.annotations ?? {});
  return [
    ...validateLabels(template.metadata?.labels, `${field}.labels`),
    ...errorsOfEach(annotations, (key) =>
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

/** Whose template it is, as messages name it. */
type Owner = "DaemonSet" | "ReplicaSet" | "ReplicationController" | "StatefulSet";

const OF_REPLICA_SETS = { selector: "deployment", owner: "ReplicaSet" } as const;

/**
 * Selector and template of a workload whose pods run for ever.
 *
 * @spec k8s@1.36 pkg/apis/apps/validation ValidatePodTemplateSpecForReplicaSet
 */
export function validateSelectedTemplate(
  spec: { readonly selector?: V1LabelSelector; readonly template?: V1PodTemplateSpec },
  path: string,
  words: { readonly selector: string; readonly owner: Owner } = OF_REPLICA_SETS,
): Errors {
  const { selector, template } = spec;
  if (selector === undefined) return [required(`${path}.selector`)];
  const selectorErrors = validateLabelSelector(selector, `${path}.selector`);
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const isEmpty = Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
  const emptiness = when(
    isEmpty,
    invalid(`${path}.selector`, selector, `empty selector is invalid for ${words.selector}`),
  );
  if (template === undefined)
    return [...selectorErrors, ...emptiness, required(`${path}.template`)];
  const canMatch = !isEmpty && selectorErrors.length === 0;
  const matcher = canMatch ? labelSelectorOf(selector) : selectorOfLabels({});
  return [
    ...selectorErrors,
    ...emptiness,
    ...validateMatchedTemplate(matcher, template, `${path}.template`, words.owner),
  ];
}

/** The template of pods that run for ever, with labels that `selector` finds. @spec ValidatePodTemplateSpecForRC */
export function validateMatchedTemplate(
  selector: LabelSelector,
  template: V1PodTemplateSpec,
  path: string,
  owner: Owner,
): Errors {
  const labels = template.metadata?.labels ?? {};
  return [
    ...when(
      !selector.matches(labels),
      invalid(`${path}.metadata.labels`, labels, "`selector` does not match template `labels`"),
    ),
    ...validateTemplate(template, path),
    ...when(
      template.spec?.restartPolicy !== "Always",
      notSupported(`${path}.spec.restartPolicy`, template.spec?.restartPolicy ?? "", ["Always"]),
    ),
    ...when(
      template.spec?.activeDeadlineSeconds !== undefined,
      forbidden(
        `${path}.spec.activeDeadlineSeconds`,
        `activeDeadlineSeconds in ${owner} is not Supported`,
      ),
    ),
  ];
}

/** What every object with a pod template may warn of. */
interface Workload extends KubeObject {
  readonly spec?: { readonly template?: V1PodTemplateSpec };
}

/**
 * Warnings of a template that is new or changed, and of a new name that makes no host names.
 *
 * @spec k8s@1.36 WarningsOnCreate, WarningsOnUpdate of the strategies of Deployment, ReplicaSet, ReplicationController
 */
export function workloadWarnings(
  { metadata, spec }: Workload,
  old: Workload | undefined,
): readonly string[] {
  const name = metadata?.name;
  const problems = old === undefined && name ? validateDnsLabel(name) : [];
  const isKnown = old !== undefined && equalSemantic(spec?.template, old.spec?.template);
  const ofTemplate = isKnown ? [] : podSpecWarnings(spec?.template?.spec, "spec.template.spec");
  if (problems.length === 0) return ofTemplate;
  return [`${NAME_WARNING}: [${problems.join(" ")}]`, ...ofTemplate];
}

const NAME_WARNING =
  "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";

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
