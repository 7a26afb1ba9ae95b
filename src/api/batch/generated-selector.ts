import type { V1Job, V1JobSpec } from "../../gen/types.ts";
import { required, invalid } from "../machinery/field-error.ts";
import { labelSelectorOf } from "../machinery/label-selector.ts";
import { when, type Errors } from "../strategy/checks.ts";
import {
  CONTROLLER_UID_LABEL,
  JOB_NAME_LABEL,
  OLD_CONTROLLER_UID_LABEL,
  OLD_JOB_NAME_LABEL,
} from "./job-state.ts";

/**
 * A new Job with a selector of its own: its uid, which its Pods carry as a label. What the client set stays, and is
 * refused by {@link validateGeneratedSelector} where it conflicts.
 *
 * @spec k8s@1.36 pkg/registry/batch/job/strategy.go generateSelector
 */
export function withGeneratedSelector(job: V1Job, uid: string): V1Job {
  const { spec, metadata } = job;
  if (!spec || spec.manualSelector) return job;
  const labels = {
    ...generatedLabels(metadata?.name ?? "", uid),
    ...spec.template?.metadata?.labels,
  };
  const template = { ...spec.template, metadata: { ...spec.template?.metadata, labels } };
  const matchLabels = { [CONTROLLER_UID_LABEL]: uid, ...spec.selector?.matchLabels };
  return { ...job, spec: { ...spec, selector: { ...spec.selector, matchLabels }, template } };
}

function generatedLabels(name: string, uid: string): Record<string, string> {
  return {
    [JOB_NAME_LABEL]: name,
    [OLD_JOB_NAME_LABEL]: name,
    [CONTROLLER_UID_LABEL]: uid,
    [OLD_CONTROLLER_UID_LABEL]: uid,
  };
}

/** Labels and selector are those that were generated. `requiresPrefixed`: not of a Job from before the prefixed labels. */
export function validateGeneratedSelector(
  { metadata, spec }: V1Job,
  requiresPrefixed: boolean,
): Errors {
  if (!spec || spec.manualSelector || spec.selector === undefined) return [];
  const { uid = "", name = "" } = metadata ?? {};
  const given = spec.template?.metadata?.labels ?? {};
  const expected = generatedLabels(name, uid);
  const checked = requiresPrefixed
    ? [OLD_CONTROLLER_UID_LABEL, OLD_JOB_NAME_LABEL, CONTROLLER_UID_LABEL, JOB_NAME_LABEL]
    : [OLD_CONTROLLER_UID_LABEL, OLD_JOB_NAME_LABEL];
  const known = Object.fromEntries(checked.map((key) => [key, expected[key]!]));
  return [
    ...when(uid === "", required("metadata.uid")),
    ...checked.flatMap((key): Errors => {
      const path = `spec.template.metadata.labels[${key}]`;
      const rule = `must be '${expected[key]}'`;
      if (!Object.hasOwn(given, key)) return [required(path, rule)];
      return when(given[key] !== expected[key], invalid(path, given, rule));
    }),
    ...when(
      !labelSelectorOf(spec.selector).matches(known),
      invalid("spec.selector", spec.selector, "`selector` not auto-generated"),
    ),
  ];
}

/** Labels that a Job has had since it was made with the prefixed ones. */
export function hasPrefixedLabels(spec: V1JobSpec | undefined): boolean {
  const labels = spec?.template?.metadata?.labels ?? {};
  return Object.hasOwn(labels, JOB_NAME_LABEL) && Object.hasOwn(labels, CONTROLLER_UID_LABEL);
}
