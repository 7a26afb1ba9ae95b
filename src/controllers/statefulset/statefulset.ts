import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { keyOf, type ObjectKey } from "../../api/machinery/object.ts";
import type { Instant } from "../../base/clock.ts";
import type { CacheReader } from "../../client/cache.ts";
import { defineController, type Plan, type Trigger } from "../../reconciler/controller.ts";
import {
  claim,
  claimable,
  isBeingDeleted,
  ownersOf,
  selectorsMatching,
} from "../../reconciler/ownership.ts";
import { nextAvailableAt } from "../../reconciler/pod-state.ts";
import {
  forgetRevisions,
  observeRevisions,
  planHistory,
  templateOf,
  type HistoryFamily,
  type SeenRevisions,
} from "../../reconciler/revision-history.ts";
import { matcherOf } from "../../reconciler/selection.ts";
import { claimTemplateNames, isInRange, ordinalOf, revisionOfPod } from "./identity.ts";
import { growSteps, isOrdered, shrinkSteps, type World } from "./scaling.ts";
import { statusOf } from "./status.ts";
import { planOf, type Item, type Step } from "./step.ts";
import { updateItems } from "./updating.ts";

/** `pods`, `seen.revisions`: controlled by the set, or by nobody. `claims`: those with the names of its Pods' claims. */
export interface Observed {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly claims: readonly PersistentVolumeClaim[];
  readonly seen: SeenRevisions;
}

/** Its revisions' names are the labels of its Pods. */
export const statefulSets: HistoryFamily<StatefulSet> = {
  kind: StatefulSet,
  matches: (set) => matcherOf(set.spec?.selector),
  hashLabel: "controller.kubernetes.io/hash",
};

/**
 * Keeps Pods with names, claims and an order: `web-0`, `web-1` …
 *
 * One reconcile grows, or shrinks, or updates; an ordered set touches one Pod, and the next once that one is available.
 * @invariant never two Pods of one ordinal: a Pod is created only when none of its name is known, and names are unique.
 * @spec k8s@1.36 pkg/controller/statefulset UpdateStatefulSet
 */
export const statefulSetController = defineController<StatefulSet, Observed>({
  name: "statefulset-controller",
  primary: StatefulSet,
  triggers: [
    ownersOf(Pod, StatefulSet),
    selectorsMatching(Pod, StatefulSet, statefulSets.matches),
    ownersOf(ControllerRevision, StatefulSet),
    claimsOfSets(),
  ],
  observesGeneration: true,
  observe,
  plan,
});

/** A claim that changed or ended concerns the set whose Pods have claims of such names. */
function claimsOfSets(): Trigger {
  return {
    kind: PersistentVolumeClaim,
    keys: ({ old, key }, cache) =>
      old === undefined
        ? []
        : cache
            .list(StatefulSet, { namespace: key.namespace })
            .filter((set) => hasClaimNamed(set, key.name))
            .map(keyOf),
  };
}

function hasClaimNamed(set: StatefulSet, name: string): boolean {
  return claimTemplateNames(set).some((template) =>
    name.startsWith(`${template}-${set.metadata?.name}-`),
  );
}

function observe(cache: CacheReader, key: ObjectKey): Observed | undefined {
  const set = cache.get(StatefulSet, key);
  const uid = set?.metadata?.uid;
  if (!set || uid === undefined) return undefined;
  const { namespace } = key;
  const pods = claimable(cache, Pod, namespace, uid);
  const isOfSet = ({ metadata }: PersistentVolumeClaim): boolean =>
    hasClaimNamed(set, metadata?.name ?? "");
  return {
    set,
    pods: pods.filter((pod) => ordinalOf(set, pod) !== undefined),
    claims: set.spec?.volumeClaimTemplates?.length
      ? cache.list(PersistentVolumeClaim, { namespace, where: isOfSet })
      : [],
    seen: observeRevisions(cache, key, set),
  };
}

/** Pure; see {@link statefulSetController}. */
export function plan({ set, pods, claims, seen }: Observed, now: Instant): Plan {
  const claimer = { kind: StatefulSet, object: set, matches: statefulSets.matches(set) };
  const members = claim(Pod, claimer, pods);
  if (isBeingDeleted(set)) {
    const { currentRevision: current = "", updateRevision: update = "" } = set.status ?? {};
    return { status: statusOf(set, members.owned, { current, update }, 0, now) };
  }
  const { revisions, update, writes } = planHistory(statefulSets, set, seen);
  if (!update) {
    const collisionCount = (set.status?.collisionCount ?? 0) + 1;
    return {
      writes,
      status: { ...set.status, replicas: set.status?.replicas ?? 0, collisionCount },
    };
  }
  const isCurrent = ({ metadata }: ControllerRevision): boolean =>
    metadata?.name === set.status?.currentRevision;
  const current = revisions.find(isCurrent) ?? update;
  const world = worldOf(set, members.owned, claims, { current, update }, now);
  const { steps, updates } = stepsOf(world);
  const names = { current: world.current.name, update: world.update.name };
  const live = new Set([
    ...Object.values(names),
    ...members.owned.map((pod) => revisionOfPod(pod) ?? ""),
  ]);
  // What is forgotten needs nothing of what is done for Pods, and that may fail.
  const first = [...members.writes, ...writes, ...forgetRevisions(set, revisions, live)];
  const wakeAt = nextAvailableAt(members.owned, set.spec?.minReadySeconds ?? 0, now);
  const statusAfter = (deletedCurrent: number): object =>
    statusOf(set, members.owned, names, deletedCurrent, now);
  return {
    ...planOf(first, steps),
    status: statusAfter(updates.length),
    statusOnFailure: ({ write }) =>
      statusAfter(
        Math.max(
          0,
          updates.findIndex((item) => item.write === write),
        ),
      ),
    ...(wakeAt !== undefined && { wakeAt }), // minReadySeconds passes without any event
  };
}

function worldOf(
  set: StatefulSet,
  pods: readonly Pod[],
  claims: readonly PersistentVolumeClaim[],
  { current, update }: Record<"current" | "update", ControllerRevision>,
  now: Instant,
): World {
  const placed = pods.map((pod) => [ordinalOf(set, pod)!, pod] as const);
  const revision = (object: ControllerRevision): World["update"] => ({
    name: keyOf(object).name,
    template: templateOf(object),
  });
  return {
    set,
    replicas: new Map(placed.filter(([ordinal]) => isInRange(set, ordinal))),
    condemned: placed.filter(([ordinal]) => !isInRange(set, ordinal)).sort(([a], [b]) => b - a),
    claims: new Map(claims.map((one) => [keyOf(one).name, one])),
    current: revision(current),
    update: revision(update),
    now,
  };
}

/** Growing comes first, then shrinking, then updating; where something stands in the way, the rest waits. */
function stepsOf(world: World): {
  readonly steps: readonly Step[];
  readonly updates: readonly Item[];
} {
  const isBlocked = (steps: readonly Step[]): boolean =>
    steps.some(({ next }) => next === "stop" || (next === "wait" && isOrdered(world)));
  const growing = growSteps(world);
  if (isBlocked(growing)) return { steps: growing, updates: [] };
  const shrinking = shrinkSteps(world);
  const steps = [...growing, ...shrinking];
  if (isBlocked(shrinking)) return { steps, updates: [] };
  const updates = updateItems(world);
  return { steps: [...steps, { items: updates, next: "go" }], updates };
}
