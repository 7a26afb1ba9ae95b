import type { Instant } from "../base/clock.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../api/machinery/object.ts";
import { Pod } from "../api/core/pod.ts";
import type { V1PodTemplateSpec, V1ReplicaSetStatus } from "../gen/types.ts";
import type { CacheReader } from "../client/cache.ts";
import { findCondition, removeCondition, withCondition } from "../api/machinery/conditions.ts";
import {
  defineController,
  type Controller,
  type Plan,
  type PlannedWrite,
  type WriteFailure,
} from "./controller.ts";
import {
  claim,
  claimable,
  controllerOf,
  isBeingDeleted,
  isControlledBy,
  ownersOf,
  selectorsMatching,
  type LabelMatch,
} from "./ownership.ts";
import { podEvents } from "./pod-events.ts";
import { podFromTemplate } from "./pod-from-template.ts";
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  nextAvailableAt,
} from "./pod-state.ts";
import { mapMatcherOf } from "./selection.ts";
import { cheapestToLose } from "./cheapest-to-lose.ts";

/** Most Pods one step creates or deletes. Bounds what one bad template can do before its status shows it. @spec BurstReplicas */
const STEP_PODS_MAX = 500;

/** The fields that ReplicaSets and ReplicationControllers have in common. */
export interface ReplicaKeeper extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly template?: V1PodTemplateSpec;
  };
  readonly status?: V1ReplicaSetStatus;
}

/** In what the kinds of keepers differ. */
export interface KeeperFamily<T extends ReplicaKeeper> {
  readonly kind: Kind<T>;
  matches(keeper: T): LabelMatch;
  /** Whether the status says how many Pods are on their way out. */
  readonly countsTerminating: boolean;
}

/** `pods`: those controlled by `keeper`, and uncontrolled ones of its namespace. `related`: all Pods of the same family. */
export interface Observed<T extends ReplicaKeeper> {
  readonly keeper: T;
  readonly pods: readonly Pod[];
  readonly related: readonly Pod[];
}

/**
 * Keeps `spec.replicas` active Pods that are controlled by one object.
 *
 * One reconcile is one bounded step and never waits: its writes return as watch events.
 * @invariant only Pods whose controller uid is the keeper's uid are ever deleted.
 * @spec k8s@1.36 pkg/controller/replicaset/replica_set.go syncReplicaSet
 */
export function replicasController<T extends ReplicaKeeper>(
  name: string,
  family: KeeperFamily<T>,
): Controller<T, Observed<T>> {
  return defineController<T, Observed<T>>({
    name,
    primary: family.kind,
    triggers: [
      ownersOf(Pod, family.kind),
      selectorsMatching(Pod, family.kind, (keeper) => family.matches(keeper)),
    ],
    observesGeneration: true,
    observe: (cache, key) => observe(family, cache, key),
    plan: (observed, now) => planReplicas(family, observed, now),
  });
}

function observe<T extends ReplicaKeeper>(
  { kind }: KeeperFamily<T>,
  cache: CacheReader,
  key: ObjectKey,
): Observed<T> | undefined {
  const keeper = cache.get(kind, key);
  const uid = keeper?.metadata?.uid;
  if (!keeper || uid === undefined) return undefined;
  const { namespace } = key;
  const pods = claimable(cache, Pod, namespace, uid);
  const own = pods.filter(controllerOf);
  const hasSurplus = own.filter(isPodActive).length > replicasOf(keeper);
  const related = hasSurplus ? familyOf(kind, cache, keeper, own) : own;
  return { keeper, pods, related };
}

/** Active Pods of all keepers that share a controller with this one. @spec getIndirectlyRelatedPods */
function familyOf(
  kind: Kind,
  cache: CacheReader,
  keeper: ReplicaKeeper,
  own: readonly Pod[],
): readonly Pod[] {
  const parent = controllerOf(keeper);
  if (!parent) return own.filter(isPodActive);
  const namespace = keeper.metadata?.namespace ?? "";
  return cache
    .list(kind, { namespace, controllerUid: parent.uid })
    .flatMap((sibling) =>
      cache.list(Pod, { namespace, controllerUid: sibling.metadata?.uid ?? "-" }),
    )
    .filter(isPodActive);
}

/** Pure; see {@link replicasController}. */
export function planReplicas<T extends ReplicaKeeper>(
  family: KeeperFamily<T>,
  { keeper, pods, related }: Observed<T>,
  now: Instant,
): Plan {
  const { kind } = family;
  const matches = family.matches(keeper);
  const claimer = { kind, object: keeper, matches };
  const { owned: active, writes } = claim(Pod, claimer, pods.filter(isPodActive));
  const terminating = pods.filter(
    (pod) => isPodTerminating(pod) && isControlledBy(pod, keeper) && matches(pod.metadata?.labels),
  );
  const steps = isBeingDeleted(keeper) ? [] : scale(kind, keeper, active, related, now);
  const all = [...writes, ...steps];
  const status = {
    ...countsOf(keeper, active, now),
    ...(family.countsTerminating && { terminatingReplicas: terminating.length }),
  };
  const wakeAt = nextAvailableAt(active, keeper.spec?.minReadySeconds ?? 0, now);
  return {
    writes: all,
    status: { ...status, ...conditionsOf(keeper, undefined, active, now) },
    statusOnFailure: (failure) => ({ ...status, ...conditionsOf(keeper, failure, active, now) }),
    events: podEvents(all, writes.length),
    ...(wakeAt !== undefined && { wakeAt }), // minReadySeconds passes without any event
  };
}

function scale(
  kind: Kind,
  keeper: ReplicaKeeper,
  active: readonly Pod[],
  related: readonly Pod[],
  now: Instant,
): PlannedWrite[] {
  const missing = replicasOf(keeper) - active.length;
  if (missing > 0) {
    const object = podFromTemplate(keeper.spec?.template ?? {}, kind, keeper);
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

function replicasOf(keeper: ReplicaKeeper): number {
  return keeper.spec?.replicas ?? 1;
}

/** Counts of zero are left out, as upstream's `omitempty` does; `replicas` is always there. */
function countsOf(keeper: ReplicaKeeper, active: readonly Pod[], now: Instant): V1ReplicaSetStatus {
  const minReadySeconds = keeper.spec?.minReadySeconds ?? 0;
  const hasTemplateLabels = mapMatcherOf(keeper.spec?.template?.metadata?.labels);
  const ready = active.filter(isPodReady);
  const fullyLabeled = active.filter((pod) => hasTemplateLabels(pod.metadata?.labels)).length;
  const available = ready.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  return {
    replicas: active.length,
    ...(fullyLabeled && { fullyLabeledReplicas: fullyLabeled }),
    ...(ready.length && { readyReplicas: ready.length }),
    ...(available && { availableReplicas: available }),
  };
}

/** The ReplicaFailure condition while Pods cannot be created or deleted. @spec calculateStatus */
function conditionsOf(
  keeper: ReplicaKeeper,
  failure: WriteFailure | undefined,
  active: readonly Pod[],
  now: Instant,
): Pick<V1ReplicaSetStatus, "conditions"> {
  const old = keeper.status?.conditions;
  if (!failure || failure.write.verb === "patch") {
    const rest = failure ? (old ?? []) : removeCondition(old, "ReplicaFailure");
    return rest.length ? { conditions: rest } : {};
  }
  if (findCondition(old, "ReplicaFailure")) return { conditions: old! };
  const reason = active.length < replicasOf(keeper) ? "FailedCreate" : "FailedDelete";
  const condition = { type: "ReplicaFailure", status: "True", reason, message: failure.message };
  return { conditions: withCondition(old, condition, now) };
}
