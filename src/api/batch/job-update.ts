import type { V1Job, V1JobSpec, V1PodTemplateSpec } from "../../gen/types.ts";
import { isConditionTrue } from "../machinery/conditions.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid } from "../machinery/field-error.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { when, type Errors } from "../strategy/checks.ts";
import { mapItems, withField } from "../strategy/strategy.ts";
import { hasPrefixedLabels } from "./generated-selector.ts";
import { isIndexed } from "./job-state.ts";
import { validateJob } from "./job-validation.ts";

/** Parts of a Job's spec that stay as they were made. */
const FIXED = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

/** Everything an update must satisfy. @spec k8s@1.36 pkg/apis/batch/validation ValidateJobUpdate */
export function validateJobUpdate(job: V1Job, old: V1Job): Errors {
  const { spec } = job;
  const own = validateJob(job, hasPrefixedLabels(old.spec));
  if (!spec || !old.spec) return own;
  return [
    ...own,
    ...validateCompletions(spec, old.spec),
    ...FIXED.flatMap((field) => unchanged(field, spec[field], old.spec![field])),
    ...unchanged("template", spec.template, templateToKeep(spec, old)),
  ];
}

function unchanged(field: string, now: unknown, before: unknown): Errors {
  return when(!equalSemantic(now, before), invalid(`spec.${field}`, now, FIELD_IMMUTABLE));
}

/** Completions of an Indexed Job may change together with its parallelism. */
function validateCompletions(spec: V1JobSpec, old: V1JobSpec): Errors {
  const { completions, parallelism } = spec;
  if (!isIndexed(spec)) return unchanged("completions", completions, old.completions);
  const isKept = completions === old.completions || completions === undefined;
  const rule = "can only be modified in tandem with spec.parallelism";
  return when(
    !isKept && completions !== parallelism,
    invalid("spec.completions", completions, rule),
  );
}

/**
 * The template that the new one must equal. While a Job is suspended and none of its Pods runs, that is the old one with
 * the new one's scheduling directives and resources.
 *
 * @spec k8s@1.36 validatePodTemplateUpdate; MutableSchedulingDirectivesForSuspendedJobs, MutablePodResourcesForSuspendedJobs
 */
function templateToKeep({ template: now }: V1JobSpec, { spec, status }: V1Job): V1PodTemplateSpec {
  const before = spec!.template;
  const hasRun =
    status?.startTime !== undefined && !isConditionTrue(status.conditions, "Suspended");
  if (!now?.spec || !before?.spec || !spec!.suspend || hasRun || status?.active) return before;
  const { nodeSelector, tolerations, schedulingGates, affinity, containers, initContainers } =
    now.spec;
  const kept = before.spec;
  const podSpec = (
    [
      ["nodeSelector", nodeSelector],
      ["tolerations", tolerations],
      ["schedulingGates", schedulingGates],
      ["affinity", affinityToKeep(affinity, kept.affinity)],
      ["containers", withResourcesOf(kept.containers, containers)],
      ["initContainers", withResourcesOf(kept.initContainers, initContainers)],
    ] as const
  ).reduce((result, [field, value]) => withField(result, field, value as never), kept);
  const metadata = withField(
    withField(before.metadata ?? {}, "labels", now.metadata?.labels),
    "annotations",
    now.metadata?.annotations,
  );
  return { ...before, metadata, spec: podSpec };
}

type Affinity = NonNullable<V1PodTemplateSpec["spec"]>["affinity"];

/** Node affinity is free, affinity to Pods is not. */
function affinityToKeep(now: Affinity, before: Affinity): Affinity {
  const rest = withField(before ?? {}, "nodeAffinity", undefined);
  if (now === undefined) return Object.keys(rest).length === 0 ? undefined : rest;
  return withField(rest, "nodeAffinity", now.nodeAffinity);
}

type Containers = NonNullable<V1PodTemplateSpec["spec"]>["containers"];

function withResourcesOf<T extends Containers | undefined>(
  kept: T,
  now: Containers | undefined,
): T {
  if (kept === undefined) return kept;
  return mapItems(kept, (container) => {
    const other = now?.find(({ name }) => name === container.name);
    return other ? withField(container, "resources", other.resources) : container;
  }) as T;
}
