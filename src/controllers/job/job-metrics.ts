import { countIndexes } from "../../api/batch/index-set.ts";
import { isIndexed, isManagedElsewhere } from "../../api/batch/job-state.ts";
import { Job } from "../../api/batch/job.ts";
import { Pod } from "../../api/core/pod.ts";
import { isConditionTrue } from "../../api/machinery/conditions.ts";
import type { Counter, MetricRegistry } from "../../base/metrics.ts";
import type { CacheChange, CacheReader } from "../../client/cache.ts";
import type { Applied } from "../../reconciler/apply.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { exponentialBounds, type LoopMeter } from "../../reconciler/loop-meter.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import { judgeFailure } from "./failure-policy.ts";
import { isTracked, replacesEndedOnly } from "./job-pods.ts";
import type { JobStatus } from "./job-status.ts";

/** What each metric says. @spec k8s@1.36 pkg/controller/job/metrics/metrics.go */
const HELP = {
  job_syncs_total: "The number of job syncs",
  jobs_finished_total: "The number of finished jobs",
  job_pods_finished_total: "The number of finished Pods that are fully tracked",
  pod_failures_handled_by_failure_policy_total:
    "The number of failed Pods handled by failure policy with respect to the failure policy action applied based on the matched rule. " +
    'Possible values of the action label correspond to the possible values for the failure policy rule action, which are: "FailJob", "Ignore" and "Count".',
  terminated_pods_tracking_finalizer_total:
    "The number of terminated pods (phase=Failed|Succeeded) that have the finalizer batch.kubernetes.io/job-tracking. " +
    'The event label can be "add" or "delete".',
  job_finished_indexes_total:
    'The number of finished indexes. Possible values for the status label are: "succeeded", "failed". ' +
    'Possible values for the backoffLimit label are: "perIndex" and "global"',
  job_pods_creation_total:
    "The number of Pods created by the Job controller labelled with a reason for the Pod creation. " +
    "This metric also distinguishes between Pods created using different PodReplacementPolicy settings. " +
    'Possible values of the "reason" label are: "new", "recreate_terminating_or_failed", "recreate_failed". ' +
    'Possible values of the "status" label are: "succeeded", "failed".',
  jobs_by_external_controller_total: "The number of Jobs managed by an external controller",
} as const;

/** What the Job controller tells of itself, from what its plans came to. */
export function jobMeter(registry: MetricRegistry, cache: CacheReader): LoopMeter {
  const metrics = metricsIn(registry);
  return {
    planned({ primary, plan }) {
      // Pods without a Job have plans of their own.
      if (!primary) return () => {};
      const job = primary.object as Job;
      const verdicts = verdictsOf(job, plan, cache);
      return ({ applied, tookMs }) => {
        const result = applied.outcome === "done" ? "success" : "error";
        const labels = [modeOf(job), result, actionOf(plan)];
        metrics.syncs.add(labels);
        metrics.seconds.observe(tookMs / 1000, labels);
        countCreated(metrics.created, job, plan, applied);
        for (const [index, action] of verdicts)
          if (applied.results.has(index)) metrics.judged.add([action]);
        const next = statusOf(plan);
        if (applied.outcome === "done" && next) countStatus(metrics, job, next);
      };
    },
    changed(change) {
      if (change.kind === Pod) {
        const event = trackingEvent(change as CacheChange<Pod>);
        if (event) metrics.tracked.add([event]);
      }
      const job = change.object as Job | undefined;
      if (change.kind === Job && job && !change.old && isManagedElsewhere(job))
        metrics.elsewhere.add([job.spec?.managedBy ?? ""]);
    },
  };
}

type Metrics = ReturnType<typeof metricsIn>;

function metricsIn(registry: MetricRegistry) {
  const counter = (name: keyof typeof HELP, ...labels: readonly string[]): Counter =>
    registry.counter(`job_controller_${name}`, HELP[name], labels);
  return {
    seconds: registry.histogram(
      "job_controller_job_sync_duration_seconds",
      "The time it took to sync a job",
      exponentialBounds(0.004, 2, 15),
      ["completion_mode", "result", "action"],
    ),
    syncs: counter("job_syncs_total", "completion_mode", "result", "action"),
    finished: counter("jobs_finished_total", "completion_mode", "result", "reason"),
    podsFinished: counter("job_pods_finished_total", "completion_mode", "result"),
    judged: counter("pod_failures_handled_by_failure_policy_total", "action"),
    tracked: counter("terminated_pods_tracking_finalizer_total", "event"),
    indexes: counter("job_finished_indexes_total", "status", "backoffLimit"),
    created: counter("job_pods_creation_total", "reason", "status"),
    elsewhere: counter("jobs_by_external_controller_total", "controller_name"),
  };
}

function countStatus(metrics: Metrics, job: Job, next: JobStatus): void {
  const mode = modeOf(job);
  const old = job.status ?? {};
  for (const result of ["succeeded", "failed"] as const) {
    const more = (next[result] ?? 0) - (old[result] ?? 0);
    if (more > 0) metrics.podsFinished.add([mode, result], more);
  }
  for (const [status, backoffLimit, count] of finishedIndexes(job, old, next))
    if (count > 0) metrics.indexes.add([status, backoffLimit], count);
  for (const { type, status, reason = "" } of next.conditions ?? []) {
    if (status !== "True" || isConditionTrue(old.conditions, type)) continue;
    // @spec recordJobFinished: the reason is told of failures alone
    if (type === "Complete") metrics.finished.add([mode, "succeeded", ""]);
    if (type === "Failed") metrics.finished.add([mode, "failed", reason]);
  }
}

function countCreated(created: Counter, job: Job, plan: Plan, applied: Applied): void {
  const reason = creationReason(job, statusOf(plan) ?? {});
  for (const [index, write] of (plan.writes ?? []).entries()) {
    const isDone = applied.results.has(index);
    if (write.verb === "create" && (isDone || applied.failures.has(index)))
      created.add([reason, isDone ? "succeeded" : "failed"]);
  }
}

/** What the policy said of failed Pods, by the write that lets each go: it is judged no more. */
function verdictsOf(
  job: Job,
  { writes = [] }: Plan,
  cache: CacheReader,
): ReadonlyMap<number, string> {
  const policy = job.spec?.podFailurePolicy;
  const verdicts = new Map<number, string>();
  for (const [index, write] of policy ? writes.entries() : []) {
    const pod = write.verb === "patch" ? cache.get(Pod, write.key) : undefined;
    const action = pod?.status?.phase === "Failed" ? judgeFailure(policy, pod).action : undefined;
    if (action !== undefined) verdicts.set(index, action);
  }
  return verdicts;
}

/** A status that is told of stands among the writes. */
function statusOf({ status, writes = [] }: Plan): JobStatus | undefined {
  const written = writes.find((write) => write.verb === "update" && write.kind === Job);
  return status ?? (written && "object" in written ? (written.object as Job).status : undefined);
}

function modeOf({ spec }: Job): string {
  return isIndexed(spec) ? "Indexed" : "NonIndexed";
}

/** @spec metrics.go JobSyncAction… */
function actionOf({ writes = [] }: Plan): string {
  const has = (verb: string): boolean =>
    writes.some((write) => write.kind === Pod && write.verb === verb);
  if (has("create")) return "pods_created";
  return has("delete") ? "pods_deleted" : "tracking";
}

/** @spec recordJobPodsCreationTotal */
function creationReason({ spec }: Job, { failed = 0, terminating = 0 }: JobStatus): string {
  if (spec && replacesEndedOnly(spec) && failed > 0) return "recreate_failed";
  return failed > 0 || terminating > 0 ? "recreate_terminating_or_failed" : "new";
}

function finishedIndexes(
  { spec }: Job,
  old: JobStatus,
  next: JobStatus,
): readonly (readonly [status: string, backoffLimit: string, count: number])[] {
  if (!isIndexed(spec)) return [];
  const isPerIndex = spec?.backoffLimitPerIndex !== undefined;
  const backoffLimit = isPerIndex ? "perIndex" : "global";
  const sizeOf = (text: string | undefined): number => {
    const counted = countIndexes(text ?? "", spec?.completions ?? 0);
    return "count" in counted ? counted.count : 0;
  };
  const more = (field: "completedIndexes" | "failedIndexes"): number =>
    next[field] === old[field] ? 0 : sizeOf(next[field]) - sizeOf(old[field]);
  return [
    ["succeeded", backoffLimit, more("completedIndexes")],
    ...(isPerIndex ? [["failed", backoffLimit, more("failedIndexes")] as const] : []),
  ];
}

/** @spec recordFinishedPodWithTrackingFinalizer */
function trackingEvent({ old, object }: CacheChange<Pod>): "add" | "delete" | undefined {
  const isWaiting = (pod: Pod | undefined): boolean =>
    !!pod && isPodTerminal(pod) && isTracked(pod);
  const [was, is] = [isWaiting(old), isWaiting(object)];
  return was === is ? undefined : is ? "add" : "delete";
}
