import type { V1Job, V1JobSpec } from "../../gen/types.ts";
import { withTemplateDefaults } from "../core/template-defaults.ts";
import { INT32_MAX } from "../strategy/checks.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";

/** Failed Pods that a Job survives. With 10 s, doubling to 10 min, between them that is about ten minutes. */
const BACKOFF_LIMIT = 6;

/** @spec k8s@1.36 pkg/apis/batch/v1 defaults.go SetDefaults_Job */
export function withJobDefaults(job: V1Job): V1Job {
  const complete = mapField(job, "spec", withSpecDefaults);
  const labels = complete.spec?.template?.metadata?.labels;
  const isLabelled = Object.keys(complete.metadata?.labels ?? {}).length > 0;
  if (isLabelled || labels === undefined || Object.keys(labels).length === 0) return complete;
  return { ...complete, metadata: { ...complete.metadata, labels } };
}

function withSpecDefaults(spec: V1JobSpec): V1JobSpec {
  const isBare = spec.completions === undefined && spec.parallelism === undefined;
  const counted = fill(spec, isBare ? { completions: 1, parallelism: 1 } : { parallelism: 1 });
  const filled = fill(counted, {
    backoffLimit: spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : INT32_MAX,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed",
  });
  return withTemplate(filled);
}

/** The part of the defaults that the Job template of a CronJob gets, too. */
export function withTemplate(spec: V1JobSpec): V1JobSpec {
  return withPatternDefaults(mapField(spec, "template", withTemplateDefaults));
}

/** A pattern without a status asks for True. @spec SetDefaults_PodFailurePolicyOnPodConditionsPattern */
function withPatternDefaults(spec: V1JobSpec): V1JobSpec {
  return mapField(spec, "podFailurePolicy", (policy) =>
    mapField(policy, "rules", (rules) =>
      mapItems(rules, (rule) =>
        mapField(rule, "onPodConditions", (patterns) =>
          mapItems(patterns, (pattern) => fill(pattern, { status: "True" })),
        ),
      ),
    ),
  );
}
