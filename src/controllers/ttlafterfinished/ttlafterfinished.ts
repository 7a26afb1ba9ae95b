import { parseTime, type Instant } from "../../base/clock.ts";
import { isJobFinished } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
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
  observe: (cache, key) => cache.get(Job, key),
  plan,
});

/** Pure. The version is named, so that a Job whose time was prolonged meanwhile stays. */
export function plan(job: Job, now: Instant): Plan {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || isBeingDeleted(job) || !isJobFinished(job)) return {};
  const ended = job.status?.conditions?.find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  const at = parseTime(ended?.lastTransitionTime ?? "") + ttl * 1000;
  if (Number.isNaN(at)) return {};
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
