import { parseTime, type Instant } from "../../base/clock.ts";
import type { V1Job } from "../../gen/types.ts";
import { workloadWarnings } from "../core/template-validation.ts";
import { isConditionTrue } from "../machinery/conditions.ts";
import { humanDuration } from "../machinery/human-duration.ts";
import type { Kind } from "../machinery/kind.ts";
import { formatLabelSelector } from "../machinery/label-selector.ts";
import type { Resource, Strategy } from "../machinery/resource.ts";
import { ageColumn, nameColumn, templateColumns, textColumn } from "../strategy/columns.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { withGeneratedSelector } from "./generated-selector.ts";
import { withJobDefaults } from "./job-defaults.ts";
import { validateJobStatus } from "./job-status-validation.ts";
import { isIndexed, isJobComplete, isJobFailed } from "./job-state.ts";
import { validateJobUpdate } from "./job-update.ts";
import { validateJob } from "./job-validation.ts";

export type Job = V1Job;

export const Job: Kind<Job> = {
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  isNamespaced: true,
};

const family = statusStrategy<Job>(
  { initialStatus: {}, countsGenerations: true },
  {
    withDefaults: withJobDefaults,
    prepareForCreate: (job, { uid = "" }) => withGeneratedSelector(job, uid),
    validate: validateJob,
    warnings: jobWarnings,
  },
);

/** An update is validated knowing the old Job: those from before the prefixed labels need not have them. */
const strategy: Strategy<Job> = { ...family, validateUpdate: validateJobUpdate };

/** @spec k8s@1.36 pkg/registry/batch/job/strategy.go */
export const jobResource: Resource<Job> = {
  kind: Job,
  singular: "job",
  categories: ["all"],
  strategy,
  subresources: { status: statusSubresource<Job>(validateJobStatus) },
  columns: [
    nameColumn(),
    textColumn("Status", "What has become of it", formatStatus),
    textColumn("Completions", "How many of the wanted pods succeeded", formatCompletions),
    textColumn("Duration", "How long it has run, or ran", formatDuration),
    ageColumn(),
    ...templateColumns<Job>(
      (job) => job.spec?.template,
      (job) => formatLabelSelector(job.spec?.selector),
    ),
  ],
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
};

/** @spec k8s@1.36 pkg/printers/internalversion/printers.go printJob */
function formatStatus(job: Job): string {
  if (isJobComplete(job)) return "Complete";
  if (isJobFailed(job)) return "Failed";
  if (job.metadata?.deletionTimestamp !== undefined) return "Terminating";
  const conditions = job.status?.conditions;
  if (isConditionTrue(conditions, "Suspended")) return "Suspended";
  return isConditionTrue(conditions, "FailureTarget") ? "FailureTarget" : "Running";
}

function formatCompletions({ spec, status }: Job): string {
  const { completions, parallelism = 0 } = spec ?? {};
  const succeeded = status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function formatDuration({ status }: Job, now: Instant): string {
  const { startTime, completionTime } = status ?? {};
  if (startTime === undefined) return "";
  const end = completionTime === undefined ? now : parseTime(completionTime);
  return humanDuration(end - parseTime(startTime));
}

/** Many completions at once may leave more failed indexes than a status can hold. */
const COMPLETIONS_SOFT_MAX = 100_000;
const PARALLELISM_SOFT_MAX = 10_000;

function jobWarnings(job: Job, old: Job | undefined): readonly string[] {
  const { completions = 0, parallelism = 0 } = job.spec ?? {};
  const isUnchanged = old !== undefined && old.metadata?.generation === job.metadata?.generation;
  const isHuge = completions > COMPLETIONS_SOFT_MAX && parallelism > PARALLELISM_SOFT_MAX;
  const ofTemplate = workloadWarnings(job, old);
  if (isUnchanged || !isHuge || !isIndexed(job.spec)) return ofTemplate;
  return [`spec: ${HUGE_WARNING}`, ...ofTemplate];
}

const HUGE_WARNING =
  "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, " +
  "Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
