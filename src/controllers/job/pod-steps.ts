import type { Instant } from "../../base/clock.ts";
import {
  COMPLETION_INDEX,
  INDEX_FAILURES,
  INDEX_IGNORED_FAILURES,
  isIndexed,
  JOB_TRACKING,
} from "../../api/batch/job-state.ts";
import { IndexSet } from "../../api/batch/index-set.ts";
import { Job } from "../../api/batch/job.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { Pod } from "../../api/core/pod.ts";
import { mapItems } from "../../api/strategy/strategy.ts";
import { cheapestToLose } from "../../reconciler/cheapest-to-lose.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { podFromTemplate } from "../../reconciler/pod-from-template.ts";
import { nextPodAt, replacementAt, type Failure } from "./backoff.ts";
import { judgeFailure } from "./failure-policy.ts";
import {
  completionIndexOf,
  endedAt,
  isTracked,
  replacesEndedOnly,
  untrack,
  type JobSpec,
} from "./job-pods.ts";
import { allFailures, countedFailures, ignoredFailures, indexesOf, type Tally } from "./tally.ts";

/** Most Pods one step creates or deletes. Bounds what one bad template can do before its status shows it. @spec MaxPodCreateDeletePerSync */
const STEP_PODS_MAX = 500;

/** Characters of a generated name before the random ones. @spec apiserver storage/names MaxGeneratedNameLength */
const BASE_CHARACTERS_MAX = 58;

const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";

/** What to do with Pods: create some, or delete some, never both. */
export interface PodSteps {
  readonly created: readonly Pod[];
  readonly deleted: readonly Pod[];
  /** Deleted Pods that do not count as failed are let go first. */
  readonly areUncounted: boolean;
  /** When Pods that must wait may come. */
  readonly wakeAt?: Instant;
}

const NOTHING: PodSteps = { created: [], deleted: [], areUncounted: false };

/** All active Pods go; each is counted when it has ended. */
export function endAll({ active }: Tally): PodSteps {
  return { created: [], deleted: active, areUncounted: false };
}

/**
 * Brings the number of active Pods to what is wanted now.
 *
 * @spec k8s@1.36 pkg/controller/job/job_controller.go manageJob
 */
export function managePods(tally: Tally, gone: readonly Failure[], now: Instant): PodSteps {
  const { job, spec, active } = tally;
  if (tally.isEnding) return NOTHING;
  if (spec.suspend) return { created: [], deleted: active, areUncounted: true };
  const wanted = wantedActive(tally);
  const deleted = surplus(tally, Math.max(0, active.length - wanted), now);
  if (deleted.length > 0) {
    return { created: [], deleted: deleted.slice(0, STEP_PODS_MAX), areUncounted: true };
  }
  const awaited = replacesEndedOnly(spec) ? tally.terminating.length : 0;
  const missing = Math.min(wanted - awaited - active.length, STEP_PODS_MAX);
  if (missing <= 0) return NOTHING;
  if (tally.failedIndexes) return replaceByIndex(tally, missing, now);
  const at = nextPodAt(spec, tally.pods, gone, now);
  if (at > now) return { ...NOTHING, wakeAt: at };
  const indexes = isIndexed(spec) ? pendingIndexes(tally, missing) : undefined;
  const created = indexes
    ? indexes.map((index) => indexedPod(job, spec, index))
    : Array.from({ length: missing }, () => trackedPod(job, spec));
  return { ...NOTHING, created };
}

function wantedActive({ spec, succeeded, active }: Tally): number {
  const { completions, parallelism = 1 } = spec;
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** Pods of an index that another has, or that the Job has not, and besides the cheapest, `atLeast` together. */
function surplus({ spec, active }: Tally, atLeast: number, now: Instant): readonly Pod[] {
  const doubles = isIndexed(spec) ? doublesAmong(spec, active, now) : [];
  if (doubles.length >= atLeast) return doubles;
  const rest = active.filter((pod) => !doubles.includes(pod));
  return [...doubles, ...cheapestToLose(rest, [], now).slice(0, atLeast - doubles.length)];
}

/** @spec appendDuplicatedIndexPodsForRemoval */
function doublesAmong(spec: JobSpec, active: readonly Pod[], now: Instant): readonly Pod[] {
  const byIndex = new Map<number, Pod[]>();
  const strays: Pod[] = [];
  for (const pod of active) {
    const index = completionIndexOf(pod);
    if (index === undefined || index >= (spec.completions ?? 0)) strays.push(pod);
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  const doubles = [...byIndex.values()].filter((pods) => pods.length > 1);
  return [...strays, ...doubles.flatMap((pods) => cheapestToLose(pods, [], now).slice(0, -1))];
}

/** The first indexes without a Pod that is active, has succeeded or has failed for good. @spec firstPendingIndexes */
function pendingIndexes(tally: Tally, count: number): readonly number[] {
  const { spec, active, terminating, completedIndexes, failedIndexes } = tally;
  const busy = replacesEndedOnly(spec) ? [...active, ...terminating] : active;
  const taken = completedIndexes.union(IndexSet.of(indexesOf(busy)));
  const settled = failedIndexes ? taken.union(failedIndexes) : taken;
  return settled.firstMissing(count, spec.completions ?? 0);
}

/** Each index waits for itself. @spec getPodCreationInfoForIndependentIndexes */
function replaceByIndex(tally: Tally, missing: number, now: Instant): PodSteps {
  const { job, spec, lastFailed } = tally;
  const due = pendingIndexes(tally, missing).map((index) => {
    const before = lastFailed.get(index);
    const at = before ? replacementAt(allFailures(before) + 1, endedAt(before), now) : -Infinity;
    return { index, before, at };
  });
  const ready = due.filter(({ at }) => at <= now);
  const waiting = due.filter(({ at }) => at > now);
  return {
    ...NOTHING,
    created: ready.map(({ index, before }) => replacedPod(job, spec, index, before)),
    ...(waiting.length > 0 && { wakeAt: Math.min(...waiting.map(({ at }) => at)) }),
  };
}

function trackedPod(job: Job, spec: JobSpec): Pod {
  const pod = podFromTemplate(spec.template, Job, job);
  if (isTracked(pod)) return pod;
  const finalizers = [...(pod.metadata?.finalizers ?? []), JOB_TRACKING];
  return { ...pod, metadata: { ...pod.metadata, finalizers } };
}

/** Name, host name, label, annotation and environment say the index. */
function indexedPod(job: Job, spec: JobSpec, index: number): Pod {
  const pod = trackedPod(job, spec);
  const name = job.metadata?.name ?? "";
  const suffix = `-${index}-`;
  const isLong = name.length + suffix.length > BASE_CHARACTERS_MAX;
  const base = isLong ? name.slice(0, BASE_CHARACTERS_MAX - suffix.length) : name;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: base + suffix,
      labels: { ...pod.metadata?.labels, [COMPLETION_INDEX]: String(index) },
      annotations: { ...pod.metadata?.annotations, [COMPLETION_INDEX]: String(index) },
    },
    ...(pod.spec && { spec: { ...withIndexVariable(pod.spec), hostname: `${name}-${index}` } }),
  };
}

type PodSpec = NonNullable<Pod["spec"]>;
type Container = PodSpec["containers"][number];

function withIndexVariable(spec: PodSpec): PodSpec {
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: mapItems(containers, withVariable),
    ...(initContainers && { initContainers: mapItems(initContainers, withVariable) }),
  };
}

function withVariable(container: Container): Container {
  const { env = [] } = container;
  if (env.some(({ name }) => name === INDEX_VARIABLE)) return container;
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  return {
    ...container,
    env: [...env, { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }],
  };
}

/** A Pod that carries on the counts of the failed one before it. @spec addIndexFailureCountAnnotation */
function replacedPod(job: Job, spec: JobSpec, index: number, before: Pod | undefined): Pod {
  const pod = indexedPod(job, spec, index);
  const isCounted = before && judgeFailure(spec.podFailurePolicy, before).isCounted;
  const counted = before ? countedFailures(before) + (isCounted ? 1 : 0) : 0;
  const ignored = before ? ignoredFailures(before) + (isCounted ? 0 : 1) : 0;
  const annotations = {
    ...pod.metadata?.annotations,
    [INDEX_FAILURES]: String(counted),
    ...(ignored > 0 && { [INDEX_IGNORED_FAILURES]: String(ignored) }),
  };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** The steps as writes: what goes uncounted is let go first. */
export function writesOf({ created, deleted, areUncounted }: PodSteps): readonly PlannedWrite[] {
  const letGo = areUncounted ? deleted.filter(isTracked).map(untrack) : [];
  const deletes = deleted.map((pod): PlannedWrite => {
    const ifUid = pod.metadata?.uid ?? "";
    return { verb: "delete", kind: Pod, key: keyOf(pod), ifUid };
  });
  const creates = created.map((object): PlannedWrite => ({ verb: "create", kind: Pod, object }));
  return [...letGo, ...deletes, ...creates];
}
