import { parseTime, type Instant } from "../base/clock.ts";
import type { Pod } from "../api/core/pod.ts";
import { isBeingDeleted } from "./ownership.ts";

/** The phase is Succeeded or Failed: it will never run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Neither ended nor ending. @spec k8s@1.36 pkg/controller IsPodActive */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isBeingDeleted(pod);
}

/** Ending, but its containers may still run. @spec k8s@1.36 pkg/controller IsPodTerminating */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && isBeingDeleted(pod);
}

/** Its Ready condition is true. */
export function isPodReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === "True";
}

/** When the Pod became ready; `undefined`: it is not. */
export function readySince(pod: Pod): Instant | undefined {
  const condition = readyCondition(pod);
  if (condition?.status !== "True") return undefined;
  return parseTime(condition.lastTransitionTime ?? "");
}

function readyCondition(pod: Pod) {
  return pod.status?.conditions?.find((condition) => condition.type === "Ready");
}

/** When the Pod is or becomes available; `undefined`: not before it is ready. @spec k8s@1.36 podutils.IsPodAvailable */
export function availableAt(pod: Pod, minReadySeconds: number): Instant | undefined {
  const since = readySince(pod);
  if (since === undefined || minReadySeconds === 0) return since === undefined ? undefined : 0;
  return Number.isNaN(since) ? undefined : since + minReadySeconds * 1000;
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: Instant): boolean {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && at <= now;
}

/**
 * The first moment after `now` at which a ready Pod becomes available; never later than a Pod that becomes ready now: what
 * lies further ahead is of a clock that was set back, and will be set right.
 */
export function nextAvailableAt(
  pods: readonly Pod[],
  minReadySeconds: number,
  now: Instant,
): Instant | undefined {
  const coming = pods
    .map((pod) => availableAt(pod, minReadySeconds))
    .filter((at): at is Instant => at !== undefined && at > now);
  return coming.length ? Math.min(...coming, now + minReadySeconds * 1000) : undefined;
}
