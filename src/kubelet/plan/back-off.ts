import type { Instant } from "../../base/clock.ts";

/** One container's or image's record of failures. */
export interface BackOff {
  readonly delayMs: number;
  readonly updatedAt: Instant;
}

/** First wait. @spec k8s@1.36 pkg/kubelet/kubelet.go backOffPeriod */
export const BACK_OFF_MS_MIN = 10_000;

/** Longest wait. @spec k8s@1.36 pkg/kubelet/kubelet.go MaxCrashLoopBackOff */
export const BACK_OFF_MS_MAX = 300_000;

/** After this long without a failure the record is forgotten. @spec client-go flowcontrol Backoff.hasExpired */
const FORGET_MS = 2 * BACK_OFF_MS_MAX;

/** The record after one more failure at `failedAt`, which is acted upon at `now`. */
export function nextBackOff(record: BackOff | undefined, failedAt: Instant, now: Instant): BackOff {
  const delayMs =
    record && !isForgotten(record, failedAt)
      ? Math.min(record.delayMs * 2, BACK_OFF_MS_MAX)
      : BACK_OFF_MS_MIN;
  return { delayMs, updatedAt: now };
}

/** When something that failed at `failedAt` may be tried again; `failedAt` itself when there is nothing to wait for. */
export function retryAt(record: BackOff | undefined, failedAt: Instant): Instant {
  return record && !isForgotten(record, failedAt) ? failedAt + record.delayMs : failedAt;
}

function isForgotten(record: BackOff, at: Instant): boolean {
  return at - record.updatedAt > FORGET_MS;
}

/** `10s`, `1m20s`, `5m0s`: as Go prints a duration of whole seconds. */
export function formatDelay(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const tail = `${minutes % 60}m${seconds % 60}s`;
  return minutes < 60 ? tail : `${Math.floor(minutes / 60)}h${tail}`;
}
