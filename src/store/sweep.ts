import type { Backend, Removal } from "./backend.ts";
import type { Revision } from "./store.ts";

/** Log entries of one step. Bounds what commits beside it wait for: some 3 ms. */
const STEP_ENTRIES_MAX = 500;

export interface SweepStep {
  readonly durable: readonly Removal[];
  readonly volatile: readonly Removal[];
  /** All up to here is swept once the removals are written. */
  readonly upTo: Revision;
}

/**
 * What compaction at `target` forgets of the versions after `after`: each one's predecessor, and deletions themselves.
 *
 * A key whose newest version is such a deletion vanishes, unless a commit in flight has just brought it back.
 */
export function sweepStep(
  backend: Backend,
  commits: { isInFlight(key: string): boolean },
  after: Revision,
  target: Revision,
): SweepStep {
  const durable: Removal[] = [];
  const volatile: Removal[] = [];
  let upTo = after;
  let count = 0;
  for (const { key, kind, position, previous } of backend.entries(after, target)) {
    if (count++ >= STEP_ENTRIES_MAX && position.revision !== upTo)
      return { durable, volatile, upTo };
    upTo = position.revision;
    const removals = backend.isVolatile(key) ? volatile : durable;
    if (previous) removals.push({ kind: "entry", key, position: previous });
    if (kind === "put") continue;
    removals.push({ kind: "entry", key, position });
    const isNewest = backend.head(key)?.position.revision === position.revision;
    if (isNewest && !commits.isInFlight(key)) removals.push({ kind: "head", key });
  }
  return { durable, volatile, upTo: target };
}
