/** A point in time: milliseconds since 1970-01-01T00:00:00Z, wall clock. */
export type Instant = number;

/** A pending call of {@link Clock.after}. Cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time and of delay. Real in a process, virtual in tests and in the simulation.
 *
 * Why injected: a run of the simulation is a function of its seed only if no part reads time itself.
 */
export interface Clock {
  /** Time moves between tasks only, so no task ever takes any: nobody needs to cut its work. */
  readonly isVirtual?: true;
  /** Wall clock. May jump; use it for what users see. */
  now(): Instant;
  /** Milliseconds from an arbitrary origin, never going back. Use it for durations. */
  monotonic(): number;
  /** Runs `task` once, `delayMs` from now (at once, but never synchronously, when ≤ 0). */
  after(delayMs: number, task: () => void): Timer;
}

/**
 * Resolves `delayMs` from now, or rejects with the signal's reason as soon as that aborts.
 *
 * @throws the reason of `signal`.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The second that was formatted last: most calls are about now, and formatting costs a microsecond. */
let lastSecond = NaN;
let lastText = "";

/** RFC 3339 with seconds, the form of every `metav1.Time`. @spec apimachinery meta/v1 Time */
export function formatTime(instant: Instant): string {
  const second = Math.floor(instant / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(instant).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** RFC 3339 with six decimals, the form of every `metav1.MicroTime`. @spec apimachinery meta/v1 MicroTime */
export function formatMicroTime(instant: Instant): string {
  return `${new Date(instant).toISOString().slice(0, 23)}000Z`;
}

/** @returns `NaN` when `text` is no RFC 3339 time. */
export function parseTime(text: string): Instant {
  return Date.parse(text);
}
