import type { V1Pod, V1PodDisruptionBudget } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { disruptionOf } from "./deletions.ts";
import { isEnding, isReady } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

const BUDGETS = "policy/poddisruptionbudgets";

/** What its controller may have counted at one moment. */
interface Count {
  readonly atMs: number;
  /** Healthy Pods beyond those that the budget wants. */
  readonly spare: number;
}

/**
 * Evictions never take more healthy Pods than a budget has to spare: not more, since some moment whose count its controller may
 * have read, than were to spare then. At rest its status has the count.
 */
export const budgets: Checker = {
  name: "budgets",
  check({ changes, facts }) {
    const state = new WorldState();
    const counts = new Map<string, Count[]>();
    const evictions = new Map<string, number[]>();
    return changes.flatMap((change) => {
      const evicted = isEviction(change) ? (change.old as V1Pod) : undefined;
      const guards = evicted ? guardsOf(evicted, state) : [];
      state.apply(change);
      const [budget] = guards;
      const problems: string[] = [];
      if (evicted && budget && guards.length === 1 && isHealthy(evicted)) {
        const uid = budget.metadata?.uid ?? "";
        const granted = [...(evictions.get(uid) ?? []), change.atMs];
        evictions.set(uid, granted);
        const known = since(counts.get(uid) ?? [], change.atMs - facts.staleMs);
        const isCovered = known.some(
          ({ atMs, spare }) =>
            granted.filter((at) => at > atMs || at === change.atMs).length <= spare,
        );
        if (!isCovered)
          problems.push(`${change.key} was evicted at ${change.revision} against ${keyOf(budget)}`);
      }
      if (change.resource === "pods" || change.resource === BUDGETS)
        for (const one of state.list<V1PodDisruptionBudget>(BUDGETS)) {
          const uid = one.metadata?.uid ?? "";
          const spare = healthyOf(one, state).length - wantedOf(one);
          counts.set(uid, [...(counts.get(uid) ?? []), { atMs: change.atMs, spare }]);
        }
      return problems;
    });
  },
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    return state.list<V1PodDisruptionBudget>(BUDGETS).flatMap((budget) => {
      const { currentHealthy = 0, observedGeneration, disruptedPods } = budget.status ?? {};
      const healthy = healthyOf(budget, state).length;
      const isCounted = currentHealthy === healthy || disruptedPods !== undefined;
      return [
        ...(isCounted
          ? []
          : [`${keyOf(budget)} counts ${currentHealthy} healthy pods of ${healthy}`]),
        ...(observedGeneration === budget.metadata?.generation
          ? []
          : [`${keyOf(budget)} was not observed`]),
      ];
    });
  },
};

/** All that was true at `atMs` or later. */
function since(counts: readonly Count[], atMs: number): readonly Count[] {
  return counts.slice(
    Math.max(
      0,
      counts.findLastIndex((count) => count.atMs <= atMs),
    ),
  );
}

function isEviction({ resource, old, object }: Change): boolean {
  if (resource !== "pods" || !old || isEnding(old) || (object && !isEnding(object))) return false;
  return disruptionOf((object ?? old) as V1Pod) === "EvictionByEvictionAPI";
}

function isHealthy(pod: V1Pod): boolean {
  return isReady(pod) && !isEnding(pod);
}

function guardsOf(pod: V1Pod, state: WorldState): readonly V1PodDisruptionBudget[] {
  return state.list<V1PodDisruptionBudget>(BUDGETS).filter((budget) => isGuarded(pod, budget));
}

function isGuarded({ metadata }: V1Pod, budget: V1PodDisruptionBudget): boolean {
  const { matchLabels = {} } = budget.spec?.selector ?? {};
  return (
    metadata?.namespace === budget.metadata?.namespace &&
    Object.entries(matchLabels).every(([key, value]) => metadata?.labels?.[key] === value)
  );
}

function healthyOf(budget: V1PodDisruptionBudget, state: WorldState): readonly V1Pod[] {
  return state.list<V1Pod>("pods").filter((pod) => isGuarded(pod, budget) && isHealthy(pod));
}

/** Where the owners of its Pods say how many there should be, the controller's own count is believed. */
function wantedOf({ spec, status }: V1PodDisruptionBudget): number {
  const { minAvailable } = spec ?? {};
  return typeof minAvailable === "number" ? minAvailable : (status?.desiredHealthy ?? 0);
}
