import type { Instant } from "../../base/clock.ts";
import { keyOf, type ObjectKey } from "../../api/machinery/object.ts";
import { Pod } from "../../api/core/pod.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { CacheReader } from "../../client/cache.ts";
import { findCondition, withCondition, removeCondition } from "../../api/machinery/conditions.ts";
import {
  defineController,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
  type WriteFailure,
} from "../../reconciler/controller.ts";
import {
  claim,
  controllerOf,
  isBeingDeleted,
  isControlledBy,
  ownersOf,
  selectorsMatching,
} from "../../reconciler/ownership.ts";
import { podFromTemplate } from "../../reconciler/pod-from-template.ts";
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  nextAvailableAt,
} from "../../reconciler/pod-state.ts";
import { mapMatcherOf, matcherOf } from "../../reconciler/selection.ts";
import { cheapestToLose } from "./cheapest-to-lose.ts";

/** Most Pods one step creates or deletes. Bounds what one bad template can do before its status shows it. @spec BurstReplicas */
const STEP_PODS_MAX = 500;

/** `pods`: those controlled by `set`, and uncontrolled ones of its namespace. `related`: all Pods of the same family. */
export interface Observed {
  readonly set: ReplicaSet;
  readonly pods: readonly Pod[];
  readonly related: readonly Pod[];
}

/**
 * Keeps `spec.replicas` active Pods that are controlled by this ReplicaSet.
 *
 * One reconcile is one bounded step and never waits: its writes return as watch events.
 * @invariant only Pods whose controller uid is this ReplicaSet's uid are ever deleted.
 * @spec k8s@1.36 pkg/controller/replicaset/replica_set.go syncReplicaSet
 */
export const replicaSetController = defineController<ReplicaSet, Observed>({
  name: "replicaset-controller",
  primary: ReplicaSet,
  triggers: [
    ownersOf(Pod, ReplicaSet),
    selectorsMatching(Pod, ReplicaSet, (set) => matcherOf(set.spec?.selector)),
  ],
  observesGeneration: true,
  observe,
  plan,
});

function observe(cache: CacheReader, key: ObjectKey): Observed | undefined {
  const set = cache.get(ReplicaSet, key);
  const uid = set?.metadata?.uid;
  if (!set || uid === undefined) return undefined;
  const { namespace } = key;
  const own = cache.list(Pod, { namespace, controllerUid: uid });
  const free = cache
    .list(Pod, { namespace, controllerUid: "" })
    .filter((pod) => !controllerOf(pod));
  const hasSurplus = own.filter(isPodActive).length > replicasOf(set);
  return { set, pods: [...own, ...free], related: hasSurplus ? familyOf(cache, set, own) : own };
}

/** Active Pods of all ReplicaSets that share a controller with `set`. @spec getIndirectlyRelatedPods */
function familyOf(cache: CacheReader, set: ReplicaSet, own: readonly Pod[]): readonly Pod[] {
  const parent = controllerOf(set);
  if (!parent) return own.filter(isPodActive);
  const namespace = set.metadata?.namespace ?? "";
  return cache
    .list(ReplicaSet, { namespace, controllerUid: parent.uid })
    .flatMap((sibling) =>
      cache.list(Pod, { namespace, controllerUid: sibling.metadata?.uid ?? "-" }),
    )
    .filter(isPodActive);
}

/** Pure; see {@link replicaSetController}. */
export function plan({ set, pods, related }: Observed, now: Instant): Plan {
  const matches = matcherOf(set.spec?.selector);
  const claimer = { kind: ReplicaSet, object: set, matches };
  const { owned: active, writes } = claim(Pod, claimer, pods.filter(isPodActive));
  const terminating = pods.filter(
    (pod) => isPodTerminating(pod) && isControlledBy(pod, set) && matches(pod.metadata?.labels),
  );
  const steps = isBeingDeleted(set) ? [] : scale(set, active, related, now);
  const status = statusOf(set, active, terminating.length, now);
  const wakeAt = nextAvailableAt(active, set.spec?.minReadySeconds ?? 0, now);
  return {
    writes: [...writes, ...steps],
    status: { ...status, ...conditionsOf(set, undefined, active, now) },
    statusOnFailure: (failure) => ({ ...status, ...conditionsOf(set, failure, active, now) }),
    events: steps.flatMap((step, index) => eventsOf(step, writes.length + index)),
    ...(wakeAt !== undefined && { wakeAt }), // minReadySeconds passes without any event
  };
}

function scale(
  set: ReplicaSet,
  active: readonly Pod[],
  related: readonly Pod[],
  now: Instant,
): PlannedWrite[] {
  const missing = replicasOf(set) - active.length;
  if (missing > 0) {
    const object = podFromTemplate(set.spec?.template ?? {}, ReplicaSet, set);
    const count = Math.min(missing, STEP_PODS_MAX);
    return Array.from({ length: count }, () => ({ verb: "create", kind: Pod, object }));
  }
  const surplus = Math.min(-missing, STEP_PODS_MAX);
  if (surplus === 0) return [];
  return cheapestToLose(active, related, now)
    .slice(0, surplus)
    .map((pod) => ({
      verb: "delete",
      kind: Pod,
      key: keyOf(pod),
      ifUid: pod.metadata?.uid ?? "",
    }));
}

function replicasOf(set: ReplicaSet): number {
  return set.spec?.replicas ?? 1;
}

/** @spec k8s@1.36 pkg/controller/controller_utils.go RealPodControl */
function eventsOf(step: PlannedWrite, afterWrite: number): PlannedEvent[] {
  const [success, failure] =
    step.verb === "create"
      ? (["Create", "Error creating: {error}"] as const)
      : (["Delete", "Error deleting: {error}"] as const);
  const name = step.verb === "delete" ? step.key.name : "{name}";
  return [
    {
      type: "Normal",
      reason: `Successful${success}`,
      message: `${success}d pod: ${name}`,
      afterWrite,
    },
    {
      type: "Warning",
      reason: `Failed${success}`,
      message: failure,
      afterWrite,
      onFailure: true,
    },
  ];
}

type Status = NonNullable<ReplicaSet["status"]>;

/** Counts of zero are left out, as upstream's `omitempty` does; `replicas` and `terminatingReplicas` are always there. */
function statusOf(
  set: ReplicaSet,
  active: readonly Pod[],
  terminatingReplicas: number,
  now: Instant,
): Status {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const hasTemplateLabels = mapMatcherOf(set.spec?.template?.metadata?.labels);
  const ready = active.filter(isPodReady);
  const fullyLabeled = active.filter((pod) => hasTemplateLabels(pod.metadata?.labels)).length;
  const available = ready.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  return {
    replicas: active.length,
    ...(fullyLabeled && { fullyLabeledReplicas: fullyLabeled }),
    ...(ready.length && { readyReplicas: ready.length }),
    ...(available && { availableReplicas: available }),
    terminatingReplicas,
  };
}

/** The ReplicaFailure condition while Pods cannot be created or deleted. @spec calculateStatus */
function conditionsOf(
  set: ReplicaSet,
  failure: WriteFailure | undefined,
  active: readonly Pod[],
  now: Instant,
): Pick<Status, "conditions"> {
  const old = set.status?.conditions;
  if (!failure || failure.write.verb === "patch") {
    const rest = failure ? (old ?? []) : removeCondition(old, "ReplicaFailure");
    return rest.length ? { conditions: rest } : {};
  }
  if (findCondition(old, "ReplicaFailure")) return { conditions: old! };
  const reason = active.length < replicasOf(set) ? "FailedCreate" : "FailedDelete";
  const condition = { type: "ReplicaFailure", status: "True", reason, message: failure.message };
  return { conditions: withCondition(old, condition, now) };
}
