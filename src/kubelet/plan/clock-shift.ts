import type { Instant } from "../../base/clock.ts";
import type { Outcome, PodMemory } from "./observed.ts";

/** What a wall clock and a steady one may drift apart before it counts as set, in ms. Doubled, waits are off by as much. */
const DRIFT_MS_MAX = 1000;

/** How far the wall clock was set since `offsetMs` (wall minus steady clock) was noted; 0 while it only drifts. */
export function clockShiftMs(offsetMs: number, now: Instant, steadyMs: number): number {
  const shiftMs = now - steadyMs - offsetMs;
  return Math.abs(shiftMs) < DRIFT_MS_MAX ? 0 : shiftMs;
}

/**
 * The memory after the wall clock was set by `shiftMs`: everything is as long ago, and as far ahead, as it was; refreshes are no later.
 *
 * Without it a clock that was set back by a day would hold back what waits to be tried again for that day.
 */
export function shiftMemory(memory: PodMemory, shiftMs: number): PodMemory {
  const { termination, refreshAt } = memory;
  const shift = (at: Instant): Instant => at + shiftMs;
  const outcome = (one: Outcome): Outcome =>
    one.kind === "failed" ? { ...one, at: shift(one.at), retryAt: shift(one.retryAt) } : one;
  return {
    ...memory,
    firstSeenAt: shift(memory.firstSeenAt),
    volumes: outcome(memory.volumes),
    sandbox: outcome(memory.sandbox),
    images: mapValues(memory.images, outcome),
    starts: mapValues(memory.starts, (one) => ({
      ...one,
      at: shift(one.at),
      retryAt: shift(one.retryAt),
    })),
    crashes: mapValues(memory.crashes, (one) => ({ ...one, updatedAt: shift(one.updatedAt) })),
    ...(termination && { termination: { ...termination, since: shift(termination.since) } }),
    // A token ends by the server's clock: if ours is set forward, it may be due, and renewing one too early does no harm.
    ...(refreshAt !== undefined && { refreshAt: Math.min(refreshAt, shift(refreshAt)) }),
  };
}

function mapValues<T>(map: ReadonlyMap<string, T>, change: (value: T) => T): Map<string, T> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
