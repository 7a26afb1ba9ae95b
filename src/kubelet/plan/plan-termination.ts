import type { Instant } from "../../base/clock.ts";
import { isAlive, type ContainerState } from "../runtime/pod-runtime.ts";
import { containerNamed, graceSecondsOf, initContainers, isSidecar } from "../runtime/pod-spec.ts";
import type { ObservedPod } from "./observed.ts";
import type { PodPlan } from "./plan-pod.ts";
import { FORCED_GRACE_SECONDS, keyOf, type Step } from "./step.ts";

/** Least grace of a container whose turn comes late. @spec pkg/kubelet/kuberuntime minimumGracePeriodInSeconds */
const LATE_GRACE_SECONDS_MIN = 2;

/** Steps that make things which teardown would miss. */
const MAKERS = ["start", "sandbox"];

/**
 * Ends a Pod: its containers (sidecars last, in reverse order), then sandbox and volumes side by side, then, where the
 * API server waits for it, the object.
 *
 * @spec k8s@1.36 pkg/kubelet/kubelet.go SyncTerminatingPod, SyncTerminatedPod; kuberuntime killContainersWithSyncResult
 */
export function planTermination(observed: ObservedPod, now: Instant): PodPlan {
  const steps = stepsOf(observed, now).filter((step) => !observed.busy.has(keyOf(step)));
  return { steps, isDone: isDone(observed) };
}

function isDone({ isGone, runtime, memory, busy }: ObservedPod): boolean {
  const isEmpty = runtime.containers.length === 0 && runtime.sandboxes.length === 0;
  return isGone && isEmpty && memory.isTornDown && busy.size === 0;
}

function stepsOf(observed: ObservedPod, now: Instant): readonly Step[] {
  const { runtime, memory, busy } = observed;
  const alive = runtime.containers.filter(isAlive);
  if (alive.length > 0) return kills(observed, alive, now);
  if (MAKERS.some((key) => busy.has(key))) return [];
  const ready = runtime.sandboxes.filter(({ isReady }) => isReady);
  const steps: Step[] = ready.map(({ id }) => ({ kind: "stopSandbox", id }));
  if (!memory.isTornDown) steps.push({ kind: "tearDown" });
  if (ready.length > 0 || !memory.isTornDown) return steps;
  return [...remains(observed), ...last(observed)];
}

/** The API object goes once nothing runs; the dead containers only when nobody can ask for their logs. */
function last({ pod, isGone, memory }: ObservedPod): readonly Step[] {
  const isAsked = !isGone && pod.metadata?.deletionTimestamp !== undefined;
  return isAsked && !memory.isDeleteSent ? [{ kind: "finish" }] : [];
}

function remains({ runtime, isGone }: ObservedPod): readonly Step[] {
  if (!isGone) return [];
  if (runtime.containers.length > 0)
    return runtime.containers.map(({ id }) => ({ kind: "removeContainer", id }));
  return runtime.sandboxes.map(({ id }) => ({ kind: "removeSandbox", id }));
}

function kills(
  observed: ObservedPod,
  alive: readonly ContainerState[],
  now: Instant,
): readonly Step[] {
  const { pod } = observed;
  const order = initContainers(pod)
    .filter(isSidecar)
    .map(({ name }) => name);
  const main = alive.filter(({ name }) => !order.includes(name));
  const lastSidecar = order.findLast((name) => alive.some((container) => container.name === name));
  const due = main.length > 0 ? main : alive.filter(({ name }) => name === lastSidecar);
  const graceSeconds = graceLeft(observed, now);
  return due.map((container) => ({
    kind: "killContainer",
    id: container.id,
    container: container.name,
    graceSeconds,
    message: `Stopping container ${container.name}`,
    runsPreStop: containerNamed(pod, container.name)?.lifecycle?.preStop !== undefined,
  }));
}

/** Seconds that a kill which begins now may take. */
function graceLeft(observed: ObservedPod, now: Instant): number {
  const total = totalGrace(observed);
  if (total <= FORCED_GRACE_SECONDS) return FORCED_GRACE_SECONDS;
  const since = observed.memory.termination?.since ?? now;
  const left = Math.ceil(total - (now - since) / 1000);
  return Math.max(left, Math.min(total, LATE_GRACE_SECONDS_MIN));
}

/** A Pod that vanished was deleted by force: nobody waits for it any more. */
function totalGrace({ pod, isGone, memory }: ObservedPod): number {
  if (isGone) return FORCED_GRACE_SECONDS;
  const { eviction } = memory.termination ?? {};
  if (eviction) return Math.max(eviction.graceSeconds, FORCED_GRACE_SECONDS);
  const seconds =
    pod.metadata?.deletionTimestamp === undefined
      ? graceSecondsOf(pod)
      : (pod.metadata.deletionGracePeriodSeconds ?? graceSecondsOf(pod));
  return Math.max(seconds, FORCED_GRACE_SECONDS);
}
