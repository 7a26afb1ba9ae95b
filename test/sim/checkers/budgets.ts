import type { V1Pod, V1PodDisruptionBudget } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { disruptionOf } from "./deletions.ts";
import { isEnding, isReady } from "./replica-sets.ts";
import { Spares } from "./spares.ts";
import { keyOf, WorldState } from "./world-state.ts";

const BUDGETS = "policy/poddisruptionbudgets";

/**
 * Evictions never take more healthy Pods than a budget has to spare: not more, since some moment whose count its controller may
 * have read, than were to spare then. At rest its status has the count.
 */
export const budgets: Checker = {
  name: "budgets",
  check({ changes, facts }) {
    const state = new WorldState();
    const spares = new Spares();
    return changes.flatMap((change) => {
      const { resource, atMs, key, revision } = change;
      const evicted = isEviction(change) ? (change.old as V1Pod) : undefined;
      const guards = evicted ? guardsOf(evicted, state) : [];
      state.apply(change);
      const [budget] = guards;
      const isCovered =
        !evicted ||
        !budget ||
        guards.length > 1 ||
        !isHealthy(evicted) ||
        spares.take(budget.metadata?.uid ?? "", atMs, atMs - facts.staleMs);
      if (resource === "pods" || resource === BUDGETS)
        for (const one of state.list<V1PodDisruptionBudget>(BUDGETS))
          spares.note(one.metadata?.uid ?? "", atMs, healthyOf(one, state).length - wantedOf(one));
      return isCovered ? [] : [`${key} was evicted at ${revision} against ${keyOf(budget)}`];
    });
  },
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const counted = state.list<V1PodDisruptionBudget>(BUDGETS).filter(isCountable);
    return counted.flatMap((budget) => {
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

/** False: some of its Pods' owners do not say how many there should be, and its numbers are old. */
function isCountable({ status }: V1PodDisruptionBudget): boolean {
  const allowed = status?.conditions?.find(({ type }) => type === "DisruptionAllowed");
  return allowed?.reason !== "SyncFailed";
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
