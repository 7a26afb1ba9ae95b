/** Cancelled streams a connection may have at once: a client that closes all its watches, several times over. */
const BURST = 2000;
/** Cancelled streams per second that never run out. Doubling both doubles the work an attacker gets per connection. */
const PER_SECOND = 200;

/**
 * How many more streams one connection may open and reset. Bounds "rapid reset" floods.
 *
 * @spec CVE-2023-44487
 */
export class ResetBudget {
  #left = BURST;
  #atMs = 0;

  /** @returns false: over the budget, the connection should end. `nowMs`: monotonic. */
  spend(nowMs: number): boolean {
    this.#left = Math.min(BURST, this.#left + ((nowMs - this.#atMs) / 1000) * PER_SECOND);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
