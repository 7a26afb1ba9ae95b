import type { MetricRegistry } from "../base/metrics.ts";
import type { Instant } from "../base/clock.ts";
import type { CacheChange, CacheReader } from "../client/cache.ts";
import type { Applied, Primary } from "./apply.ts";
import type { Plan } from "./controller.ts";

/** A plan that is about to be carried out. */
export interface Planned {
  readonly plan: Plan;
  readonly primary: Primary | undefined;
  readonly now: Instant;
}

/** What a plan came to. */
export interface Outcome {
  readonly applied: Applied;
  /** Planning and writing, in ms. */
  readonly tookMs: number;
}

/** Counts what becomes of a controller's plans, and of the objects that it follows. Decides nothing. */
export interface LoopMeter {
  /** The caches are as the plan found them. @returns what hears what came of it */
  planned?(planned: Planned): (outcome: Outcome) => void;
  /** Before the loop hears of the change. */
  changed?(change: CacheChange, now: Instant): void;
}

/** Made once for a running loop; what is a state is set when somebody asks ({@link MetricRegistry.beforeText}). */
export type MakeMeter = (registry: MetricRegistry, cache: CacheReader) => LoopMeter;

/** `count` upper bounds, each `factor` times the one before. @spec component-base/metrics ExponentialBuckets */
export function exponentialBounds(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, power) => first * factor ** power);
}
