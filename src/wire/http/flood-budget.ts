/** What a connection may do at once, and for ever, of something that only costs us. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * Streams that end before their time: a client that closes all its watches, several times over.
 *
 * Less than the protocol library's own limit (1000, 33 per second), which leaves the connection open and unread.
 */
export const RESETS: Allowance = { burst: 900, perSecond: 30 };

/** Pings and settings, which are answered: a client needs one in some seconds, and Go's sends one with each stream at most. */
export const CONTROL_FRAMES: Allowance = { burst: 1000, perSecond: 100 };

/**
 * How much more of its allowance one connection has. Bounds "rapid reset" and ping floods.
 *
 * @spec CVE-2023-44487, CVE-2025-8671, CVE-2019-9512, CVE-2019-9515
 */
export class FloodBudget {
  readonly #allowance: Allowance;
  #left: number;
  #atMs = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#left = allowance.burst;
  }

  /** @returns false: over the budget, the connection should end. `nowMs`: monotonic. */
  spend(nowMs: number): boolean {
    const { burst, perSecond } = this.#allowance;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
