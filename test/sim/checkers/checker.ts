import type { History } from "../world/history.ts";

/**
 * One promise of the system, judged from what happened. One file each; `all-checkers.ts` is the list.
 *
 * Each returns a sentence for every breach, and nothing when the promise was kept.
 */
export interface Checker {
  readonly name: string;
  /** What must hold at every moment. */
  check?(history: History): readonly string[];
  /** What must hold when faults are over and nothing changes any more. */
  checkAtRest?(history: History): readonly string[];
}
