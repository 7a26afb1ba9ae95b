import { isConditionTrue } from "../machinery/conditions.ts";
import type { V1Job, V1JobSpec, V1JobStatus } from "../../gen/types.ts";

/** Labels of a Job's Pods; the older two are kept for who selects by them. @spec k8s@1.36 api/batch/v1 types.go */
export const JOB_NAME_LABEL = "batch.kubernetes.io/job-name";
export const CONTROLLER_UID_LABEL = "batch.kubernetes.io/controller-uid";
export const OLD_JOB_NAME_LABEL = "job-name";
export const OLD_CONTROLLER_UID_LABEL = "controller-uid";

/** Label and annotation of a Pod of an Indexed Job. */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
/** Annotations that carry over from a failed Pod of an index to the next. */
export const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count";
export const INDEX_IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";

/** Keeps an ended Pod until its Job has counted it. */
export const JOB_TRACKING = "batch.kubernetes.io/job-tracking";

/** `spec.managedBy` of Jobs that the built-in controller looks after; absent means the same. */
export const BUILT_IN_MANAGER = "kubernetes.io/job-controller";

/** Annotation of a CronJob's Job: the time that it was due. */
export const SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp";

type WithStatus = { readonly status?: Pick<V1JobStatus, "conditions"> };

/** True once it ended well. */
export function isJobComplete({ status }: WithStatus): boolean {
  return isConditionTrue(status?.conditions, "Complete");
}

/** True once it ended badly. */
export function isJobFailed({ status }: WithStatus): boolean {
  return isConditionTrue(status?.conditions, "Failed");
}

/** True once it ended, well or badly. */
export function isJobFinished(job: WithStatus): boolean {
  return isJobComplete(job) || isJobFailed(job);
}

/** True for completion mode Indexed. */
export function isIndexed(spec: Pick<V1JobSpec, "completionMode"> | undefined): boolean {
  return spec?.completionMode === "Indexed";
}

/** True when somebody else looks after the Job. */
export function isManagedElsewhere({ spec }: V1Job): boolean {
  return spec?.managedBy !== undefined && spec.managedBy !== BUILT_IN_MANAGER;
}
