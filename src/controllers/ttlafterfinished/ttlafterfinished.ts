import { parseTime, type Instant } from "../../base/clock.ts";
import { isJobFinished } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { exponentialBounds, type LoopMeter } from "../../reconciler/loop-meter.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/**
 * Deletes a Job `spec.ttlSecondsAfterFinished` after it ended, its Pods first.
 *
 * @spec k8s@1.36 pkg/controller/ttlafterfinished/ttlafterfinished_controller.go
 */
export const ttlAfterFinishedController = defineController<Job, Job>({
  name: "ttl-after-finished-controller",
  primary: Job,
  triggers: [],
  meter,
  observe: (cache, key) => cache.get(Job, key),
  plan,
});

/** @spec k8s@1.36 pkg/controller/ttlafterfinished/metrics/metrics.go */
function meter(registry: MetricRegistry): LoopMeter {
  const observe = registry
    .histogram(
      "ttl_after_finished_controller_job_deletion_duration_seconds",
      "The time it took to delete the job since it became eligible for deletion",
      exponentialBounds(0.1, 2, 14),
    )
    .observer([]);
  return {
    planned({ primary, plan, now }) {
      const at = plan.writes ? endOf(primary?.object as Job) : undefined;
      return ({ applied, tookMs }) => {
        if (at !== undefined && applied.outcome === "done") observe((now + tookMs - at) / 1000);
      };
    },
  };
}

/** When a Job that has ended is to go. */
function endOf(job: Job): Instant | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || isBeingDeleted(job) || !isJobFinished(job)) return undefined;
  const ended = job.status?.conditions?.find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  const at = parseTime(ended?.lastTransitionTime ?? "") + ttl * 1000;
  return Number.isNaN(at) ? undefined : at;
}

/** Pure. The version is named, so that a Job whose time was prolonged meanwhile stays. */
export function plan(job: Job, now: Instant): Plan {
  const at = endOf(job);
  if (at === undefined) return {};
  if (at > now) return { wakeAt: at };
  const { uid = "", resourceVersion = "" } = job.metadata ?? {};
  return {
    writes: [
      {
        verb: "delete",
        kind: Job,
        key: keyOf(job),
        ifUid: uid,
        ifResourceVersion: resourceVersion,
        propagation: "Foreground",
      },
    ],
  };
}
