import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { DaemonSet } from "../../api/apps/daemon-set.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import { keyOf, type ObjectKey } from "../../api/machinery/object.ts";
import type { Clock, Instant } from "../../base/clock.ts";
import type { CacheReader } from "../../client/cache.ts";
import {
  defineController,
  type Controller,
  type Plan,
  type PlannedEvent,
  type PlannedWrite,
  type Trigger,
} from "../../reconciler/controller.ts";
import {
  claim,
  claimable,
  controllerOf,
  isBeingDeleted,
  ownersOf,
  selectorsMatching,
} from "../../reconciler/ownership.ts";
import { podEvents } from "../../reconciler/pod-events.ts";
import { isPodTerminal, nextAvailableAt } from "../../reconciler/pod-state.ts";
import {
  forgetRevision,
  forgetRevisions,
  observeRevisions,
  planHistory,
  type HistoryFamily,
  type SeenRevisions,
} from "../../reconciler/revision-history.ts";
import { matcherOf } from "../../reconciler/selection.ts";
import { fitOf, HASH_LABEL, isUpdated, newPod, targetNode } from "./daemon-pod.ts";
import { FailedPods } from "./failed-pods.ts";
import { placeChanges, type Changes, type Place, type World } from "./placing.ts";
import { rollingChanges } from "./rolling.ts";
import { statusOf } from "./status.ts";

/** Most Pods one step creates or deletes. Bounds what one bad template can do before its events show it. @spec BurstReplicas */
const STEP_PODS_MAX = 250;

/** `pods`, `seen.revisions`: controlled by the set, or by nobody. `heldUntil`: by uid of a failed Pod. */
export interface Observed {
  readonly set: DaemonSet;
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly seen: SeenRevisions;
  readonly heldUntil: ReadonlyMap<string, Instant>;
}

/** Pods carry the hash of their revision. */
export const daemonSets: HistoryFamily<DaemonSet> = {
  kind: DaemonSet,
  matches: (set) => matcherOf(set.spec?.selector),
  hashLabel: HASH_LABEL,
};

/**
 * Keeps one Pod on each node that the template selects and tolerates.
 *
 * One reconcile puts Pods where they belong or, when that is so, replaces some of an old revision.
 * @invariant only Pods whose controller uid is this set's uid are ever deleted.
 * @spec k8s@1.36 pkg/controller/daemon syncDaemonSet
 */
export function daemonSetController(clock: Clock): Controller<DaemonSet, Observed> {
  const failed = new FailedPods(clock);
  return defineController<DaemonSet, Observed>({
    name: "daemon-set-controller",
    eventSource: "daemonset-controller",
    primary: DaemonSet,
    triggers: [
      podsOfSets(failed),
      selectorsMatching(Pod, DaemonSet, daemonSets.matches),
      ownersOf(ControllerRevision, DaemonSet),
      nodesOfSets(),
    ],
    observesGeneration: true,
    observe: (cache, key) => observe(failed, cache, key),
    plan,
  });
}

/** A Pod concerns its set; one that failed and is taken away counts as a failure of its node. */
function podsOfSets(failed: FailedPods): Trigger {
  const { kind, keys } = ownersOf(Pod, DaemonSet);
  return {
    kind,
    keys(change, cache) {
      const sets = keys(change, cache);
      const [old, pod] = [change.old as Pod | undefined, change.object as Pod | undefined];
      const wasStaying = old?.status?.phase === "Failed" && !isBeingDeleted(old);
      if (sets.length > 0 && wasStaying && (!pod || isBeingDeleted(pod))) failed.noteEnd(old);
      return sets;
    },
  };
}

/** A node concerns the sets for which it has become another one. */
function nodesOfSets(): Trigger {
  return {
    kind: Node,
    keys({ old, object }, cache) {
      const [before, after] = [old as Node | undefined, object as Node | undefined];
      if (before && after && hasSameMarks(before, after)) return [];
      return cache
        .list(DaemonSet)
        .filter((set) => fitText(set, before) !== fitText(set, after))
        .map(keyOf);
    },
  };
}

function hasSameMarks(a: Node, b: Node): boolean {
  return a.metadata?.labels === b.metadata?.labels && a.spec?.taints === b.spec?.taints;
}

function fitText(set: DaemonSet, node: Node | undefined): string {
  return node ? JSON.stringify(fitOf(set, node)) : "";
}

function observe(failed: FailedPods, cache: CacheReader, key: ObjectKey): Observed | undefined {
  const set = cache.get(DaemonSet, key);
  const uid = set?.metadata?.uid;
  if (!set || uid === undefined) return undefined;
  const { namespace } = key;
  const pods = claimable(cache, Pod, namespace, uid);
  const held = pods
    .filter((pod) => pod.status?.phase === "Failed" && controllerOf(pod))
    .flatMap((pod) => {
      const until = failed.heldUntil(pod);
      return until === undefined ? [] : [[pod.metadata?.uid ?? "", until] as const];
    });
  return {
    set,
    pods,
    nodes: cache.list(Node),
    seen: observeRevisions(cache, key, set),
    heldUntil: new Map(held),
  };
}

/** Pure; see {@link daemonSetController}. */
export function plan({ set, pods, nodes, seen, heldUntil }: Observed, now: Instant): Plan {
  // Its revisions may be gone before its Pods: what a set on its way out has cannot be told any more.
  if (isBeingDeleted(set)) return {};
  const matches = daemonSets.matches(set);
  const claimed = claim(Pod, { kind: DaemonSet, object: set, matches }, pods);
  const { revisions, update, twins, writes } = planHistory(daemonSets, set, seen);
  if (!update) {
    const collisionCount = (set.status?.collisionCount ?? 0) + 1;
    return { writes, status: { ...set.status, collisionCount } };
  }
  const hash = update.metadata?.labels?.[HASH_LABEL] ?? "";
  const merging = mergeWrites(twins, claimed.owned, hash);
  // Which Pods are up to date is clear once their labels say so.
  if (merging.length > 0) return { writes: [...claimed.writes, ...writes, ...merging] };
  const places = placesOf(set, claimed.owned, nodes);
  const world: World = { set, hash, places, heldUntil, now };
  const placing = placeChanges(world);
  const isPlaced = placing.nodes.length + placing.pods.length === 0;
  const changes = isPlaced ? { ...rollingChanges(world), ...wakeOf(placing) } : placing;
  const old = revisions.filter((revision) => revision !== update);
  const forgotten = forgetRevisions(set, old, liveNames(old, claimed.owned), old.length);
  const step = stepOf(set, hash, changes, [...claimed.writes, ...writes]);
  const wakes = [
    nextAvailableAt(claimed.owned, set.spec?.minReadySeconds ?? 0, now),
    changes.wakeAt,
  ].filter((at): at is Instant => at !== undefined);
  return {
    writes: [...step.writes, ...forgotten],
    events: step.events,
    status: statusOf(world),
    ...(wakes.length && { wakeAt: Math.min(...wakes) }),
  };
}

/** Pods of other revisions of the present template are of this one; then those are not needed. @spec dedupCurHistories */
function mergeWrites(
  twins: readonly ControllerRevision[],
  pods: readonly Pod[],
  hash: string,
): readonly PlannedWrite[] {
  const hashes = new Set(twins.map(({ metadata }) => metadata?.labels?.[HASH_LABEL]));
  const relabelled = pods
    .filter((pod) => !isUpdated(pod, hash) && hashes.has(pod.metadata?.labels?.[HASH_LABEL]))
    .map((pod): PlannedWrite => {
      const patch = { metadata: { labels: { [HASH_LABEL]: hash } } };
      return { verb: "patch", kind: Pod, key: keyOf(pod), ifUid: pod.metadata?.uid ?? "", patch };
    });
  return [...relabelled, ...twins.map(forgetRevision)];
}

function wakeOf({ wakeAt }: Changes): Pick<Changes, "wakeAt"> {
  return wakeAt === undefined ? {} : { wakeAt };
}

function liveNames(revisions: readonly ControllerRevision[], pods: readonly Pod[]): Set<string> {
  const hashes = new Set(pods.map(({ metadata }) => metadata?.labels?.[HASH_LABEL]));
  const isLive = ({ metadata }: ControllerRevision): boolean =>
    hashes.has(metadata?.labels?.[HASH_LABEL]);
  return new Set(revisions.filter(isLive).map((revision) => keyOf(revision).name));
}

/** All nodes, and those that only Pods name. @spec getNodesToDaemonPods */
function placesOf(set: DaemonSet, pods: readonly Pod[], nodes: readonly Node[]): readonly Place[] {
  const byNode = new Map<string, Pod[]>();
  for (const pod of [...pods].sort(byAge)) {
    const node = targetNode(pod);
    // One that ended and is being deleted is over; only its finalizers keep it.
    if (node === undefined || (isPodTerminal(pod) && isBeingDeleted(pod))) continue;
    const known = byNode.get(node);
    if (known) known.push(pod);
    else byNode.set(node, [pod]);
  }
  const known = new Set(nodes.map((node) => keyOf(node).name));
  const NOWHERE = { shouldRun: false, mayStay: false };
  return [
    ...nodes.map((node) => {
      const { name } = keyOf(node);
      return { node: name, fit: fitOf(set, node), isKnown: true, pods: byNode.get(name) ?? [] };
    }),
    ...[...byNode]
      .filter(([node]) => !known.has(node))
      .map(([node, there]) => ({ node, fit: NOWHERE, isKnown: false, pods: there })),
  ];
}

/** Scheduled ones first, then the oldest. @spec podByCreationTimestampAndPhase */
function byAge(a: Pod, b: Pod): number {
  const rank = ({ metadata, spec }: Pod): readonly string[] => [
    spec?.nodeName ? "0" : "1",
    metadata?.creationTimestamp ?? "",
    metadata?.name ?? "",
  ];
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1;
}

/** The changes as writes and what is told of them. @spec syncNodes */
function stepOf(
  set: DaemonSet,
  hash: string,
  { nodes, pods, events }: Changes,
  first: readonly PlannedWrite[],
): { readonly writes: readonly PlannedWrite[]; readonly events: readonly PlannedEvent[] } {
  const creates = nodes
    .slice(0, STEP_PODS_MAX)
    .map((node): PlannedWrite => ({ verb: "create", kind: Pod, object: newPod(set, node, hash) }));
  const deletes = pods.slice(0, STEP_PODS_MAX).map((pod): PlannedWrite => {
    const ifUid = pod.metadata?.uid ?? "";
    return { verb: "delete", kind: Pod, key: keyOf(pod), ifUid };
  });
  const writes = [...first, ...creates, ...deletes];
  return { writes, events: [...events, ...podEvents(writes, first.length)] };
}
