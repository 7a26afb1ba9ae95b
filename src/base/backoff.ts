import type { Random } from "./random.ts";

export interface BackoffLimits {
  readonly firstMs: number;
  readonly ceilingMs: number;
}

/** Doubles from `firstMs` with each failure, up to `ceilingMs`. `failures` counts from 1. */
export function backoffMs({ firstMs, ceilingMs }: BackoffLimits, failures: number): number {
  // 2^53 would lose the sum's precision, and every ceiling in use is far below it.
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 50), ceilingMs);
}

/** {@link backoffMs}, between half and all of it: so that many clients do not come back in step. */
export function jitteredBackoffMs(limits: BackoffLimits, failures: number, random: Random): number {
  const fullMs = backoffMs(limits, failures);
  return fullMs / 2 + random.integer(Math.max(1, Math.floor(fullMs / 2) + 1));
}
