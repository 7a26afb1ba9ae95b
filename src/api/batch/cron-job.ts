import type { V1CronJob } from "../../gen/types.ts";
import { podSpecWarnings } from "../core/pod-warnings.ts";
import { workloadWarnings } from "../core/template-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { translateTimestampSince } from "../machinery/human-duration.ts";
import type { Kind } from "../machinery/kind.ts";
import { formatLabelSelector } from "../machinery/label-selector.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import {
  ageColumn,
  integerColumn,
  nameColumn,
  templateColumns,
  textColumn,
} from "../strategy/columns.ts";
import { fill, mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import {
  validateCronJob,
  validateCronJobChange,
  validateNewCronJob,
} from "./cron-job-validation.ts";
import { withTemplate } from "./job-defaults.ts";

export type CronJob = V1CronJob;

export const CronJob: Kind<CronJob> = {
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/batch/cronjob/strategy.go */
export const cronJobResource: Resource<CronJob> = {
  kind: CronJob,
  singular: "cronjob",
  shortNames: ["cj"],
  categories: ["all"],
  strategy: statusStrategy<CronJob>(
    { initialStatus: {}, countsGenerations: true },
    {
      withDefaults,
      validate: validateCronJob,
      validateNew: validateNewCronJob,
      validateChange: validateCronJobChange,
      warnings,
    },
  ),
  subresources: { status: statusSubresource<CronJob>() },
  olderVersions: [
    sameForm(CronJob, "v1beta1", "1.21", "1.25"),
    sameForm(CronJob, "v2alpha1", "1.8", "1.21"),
  ],
  columns: [
    nameColumn(),
    textColumn("Schedule", "When Jobs are due", ({ spec }) => spec?.schedule ?? ""),
    textColumn("Timezone", "Whose clocks count", ({ spec }) => spec?.timeZone ?? "<none>"),
    textColumn("Suspend", "Whether no Jobs are created", ({ spec }) =>
      spec?.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False",
    ),
    integerColumn("Active", "How many Jobs run", ({ status }) => status?.active?.length ?? 0),
    textColumn("Last Schedule", "Time since a Job was last due", ({ status }, now) =>
      status?.lastScheduleTime === undefined
        ? "<none>"
        : translateTimestampSince(status.lastScheduleTime, now),
    ),
    ageColumn(),
    ...templateColumns<CronJob>(
      ({ spec }) => spec?.jobTemplate?.spec?.template,
      ({ spec }) => formatLabelSelector(spec?.jobTemplate?.spec?.selector),
    ),
  ],
};

/** @spec k8s@1.36 pkg/apis/batch/v1 defaults.go SetDefaults_CronJob */
function withDefaults(cronJob: CronJob): CronJob {
  return mapField(cronJob, "spec", (spec) =>
    mapField(
      fill(spec, {
        concurrencyPolicy: "Allow",
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
      }),
      "jobTemplate",
      (template) => mapField(template, "spec", withTemplate),
    ),
  );
}

function warnings(cronJob: CronJob, old: CronJob | undefined): readonly string[] {
  const ofName = workloadWarnings({ metadata: cronJob.metadata ?? {} }, old && {});
  const template = cronJob.spec?.jobTemplate?.spec?.template;
  const isKnown = old && equalSemantic(template, old.spec?.jobTemplate?.spec?.template);
  if (isKnown) return ofName;
  return [...ofName, ...podSpecWarnings(template?.spec, "spec.jobTemplate.spec.template.spec")];
}
