import type { Clock } from "../../base/clock.ts";

/** Shortest time over which a rate is told, in ms: shorter ones jump. @spec cAdvisor housekeeping interval 10 s, at most */
const SPAN_MS_MIN = 1000;

interface Sample {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly nanoCores?: number;
}

/** How much cpu each of those that were asked for used since they were asked for before. */
export class CpuRates {
  readonly #clock: Clock;
  #samples = new Map<string, Sample>();
  #fresh = new Map<string, Sample>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Forgets those that the last round did not ask for. */
  begin(): void {
    if (this.#fresh.size > 0) this.#samples = this.#fresh;
    this.#fresh = new Map();
  }

  /** Billionths of a core; `undefined`: it was not asked for before. */
  nanoCores(key: string, cpuSeconds: number): number | undefined {
    const before = this.#samples.get(key);
    const atMs = this.#clock.monotonic();
    const next = before ? this.#after(before, cpuSeconds, atMs) : { atMs, cpuSeconds };
    this.#fresh.set(key, next);
    return next.nanoCores;
  }

  #after(before: Sample, cpuSeconds: number, atMs: number): Sample {
    const spanMs = atMs - before.atMs;
    if (spanMs < SPAN_MS_MIN) return before;
    const used = cpuSeconds - before.cpuSeconds;
    // A container that began anew counts from 0.
    if (used < 0) return { atMs, cpuSeconds };
    return { atMs, cpuSeconds, nanoCores: Math.round((used * 1e12) / spanMs) };
  }
}
