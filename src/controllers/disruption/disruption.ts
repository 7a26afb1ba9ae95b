import { Pod } from "../../api/core/pod.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { formatKey, keyOf, parseKey, type ObjectKey } from "../../api/machinery/object.ts";
import { isSelectedBy } from "../../api/policy/budget.ts";
import { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import type { Cache, CacheChange, CacheReader } from "../../client/cache.ts";
import { controllerOf, isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodReady } from "../../reconciler/pod-state.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { ownerOf, scaledKinds, scaleOf } from "./owners.ts";
import { plan, type Observed } from "./plan.ts";

/**
 * Keeps the status of every PodDisruptionBudget.
 *
 * A loop of its own kind, because most changes of Pods ask for nothing, and owners are of any kind that has a scale.
 * @spec k8s@1.36 pkg/controller/disruption/disruption.go
 */
export function disruptionLoop(cache: Cache): Loop {
  return {
    name: "disruption-controller",
    eventSource: "controllermanager",
    kinds: fixedKinds([PodDisruptionBudget, Pod, ...scaledKinds]),
    keysOf: (change) => keysOf(cache, change).map(formatKey),
    decide(text, now) {
      const observed = observe(cache, parseKey(text));
      if (!observed) return undefined;
      const { budget: object } = observed;
      const primary = { kind: PodDisruptionBudget as Kind, object, observesGeneration: false };
      return { plan: plan(observed, now), primary };
    },
  };
}

function observe(cache: CacheReader, key: ObjectKey): Observed | undefined {
  const budget = cache.get(PodDisruptionBudget, key);
  if (!budget || isBeingDeleted(budget)) return undefined;
  const where = ({ metadata }: Pod): boolean => isSelectedBy(budget, metadata?.labels);
  const pods = cache.list(Pod, { namespace: key.namespace, where });
  return { budget, pods: pods.map((pod) => ({ pod, owner: ownerOf(cache, pod) })) };
}

/** The budgets that a change concerns. */
function keysOf(cache: CacheReader, { kind, key, old, object }: CacheChange): readonly ObjectKey[] {
  if (kind === PodDisruptionBudget) return object ? [key] : [];
  const budgets = cache.list(PodDisruptionBudget, { namespace: key.namespace });
  if (budgets.length === 0) return [];
  if (kind !== Pod)
    return scaleOf(kind, old) === scaleOf(kind, object) ? [] : budgets.map((one) => keyOf(one));
  return budgets.filter((budget) => concerns(budget, old, object)).map((one) => keyOf(one));
}

/** Whether a change of a Pod changes what `budget` counts. */
function concerns(budget: PodDisruptionBudget, old?: Pod, object?: Pod): boolean {
  const [wasIn, isIn] = [old, object].map(
    (pod) => !!pod && isSelectedBy(budget, pod.metadata?.labels),
  );
  if (wasIn !== isIn) return true;
  if (!isIn || !old || !object) return false;
  return (
    isPodReady(old) !== isPodReady(object) ||
    isBeingDeleted(old) !== isBeingDeleted(object) ||
    controllerOf(old)?.uid !== controllerOf(object)?.uid
  );
}
