import type { V1DaemonSet, V1Node, V1Pod } from "../../../src/gen/types.ts";
import type { Change, History } from "../world/history.ts";
import { instantOf, readySince } from "./ready-since.ts";
import type { Checker } from "./checker.ts";
import { Deletions } from "./deletions.ts";
import { isEnding, isOf, isReady } from "./replica-sets.ts";
import { share } from "./rollout-limits.ts";
import { Spares } from "./spares.ts";
import { Versions } from "./versions.ts";
import { WorldState } from "./world-state.ts";

const SETS = "apps/daemonsets";

/**
 * While a DaemonSet is updated, its controller takes no working Pod away that would leave more nodes without one than
 * maxUnavailable. Judged by what it may have read; another working Pod on the node, and a node that evicts, are reasons of their own.
 */
export const daemonLimits: Checker = {
  name: "daemon limits",
  check(history) {
    const { changes, facts } = history;
    const state = new WorldState();
    const spares = new Spares();
    const versions = new Versions();
    const deletions = new Deletions(history);
    return changes.flatMap((change) => {
      const { resource, atMs, old, object, key, revision } = change;
      state.apply(change);
      versions.note(change);
      const sets = state.list<V1DaemonSet>(SETS);
      const pod = (object ?? old) as V1Pod;
      const set = resource === "pods" ? sets.find((one) => isOf(pod, one)) : undefined;
      const since = atMs - facts.staleMs;
      const isTaken =
        set !== undefined &&
        !isEnding(set) &&
        old !== undefined &&
        isSureToWork(change, set, versions, history) &&
        deletions.isControllers(change) &&
        !isWelcome(pod, set, state, versions, since);
      const isCovered = !isTaken || spares.take(set.metadata?.uid ?? "", atMs, since);
      if (resource === "pods" || resource === SETS)
        for (const one of sets) spares.note(one.metadata?.uid ?? "", atMs, spareOf(one, state));
      return isCovered ? [] : [`${key} was taken away at ${revision}: too many nodes are without`];
    });
  },
};

/** Working Pods beyond those that must be there. */
function spareOf(set: V1DaemonSet, state: WorldState): number {
  const { maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const desired = set.status?.desiredNumberScheduled ?? 0;
  const working = state
    .list<V1Pod>("pods")
    .filter((pod) => isOf(pod, set) && isReady(pod) && !isEnding(pod));
  const nodes = new Set(working.map(({ spec }) => spec?.nodeName));
  return nodes.size - (desired - share(maxUnavailable, desired, Math.ceil));
}

/**
 * However late its controller read, it knew that the Pod works: ready all the while, and since before by `minReadySeconds`. By a
 * clock that was set nobody can tell the latter.
 */
function isSureToWork(
  { key, atMs, old }: Change,
  { spec }: V1DaemonSet,
  versions: Versions,
  { facts }: History,
): boolean {
  const sinceMs = atMs - facts.staleMs;
  const minReadyMs = (spec?.minReadySeconds ?? 0) * 1000;
  // The last version is what this change has made of it.
  const known = versions.of<V1Pod>("pods", key, sinceMs).slice(0, -1);
  const isReadyThroughout = known.every(
    (pod) => pod !== undefined && pod.metadata?.uid === old?.metadata?.uid && isReady(pod),
  );
  if (minReadyMs === 0 || !isReadyThroughout) return isReadyThroughout;
  return !facts.clocksWereSet && readySince(old as V1Pod) + minReadyMs <= instantOf(sinceMs);
}

/** Nobody is meant to miss it: the node has another one, ends, or wants none. */
function isWelcome(
  { spec, metadata }: V1Pod,
  set: V1DaemonSet,
  state: WorldState,
  versions: Versions,
  since: number,
): boolean {
  const name = spec?.nodeName ?? "";
  const isRefused = versions
    .of<V1Node>("nodes", name, since)
    .some(
      (node) => !node || (node.spec?.taints ?? []).some(({ effect }) => effect === "NoExecute"),
    );
  const space = versions.of("namespaces", metadata?.namespace ?? "", since);
  return (
    isRefused ||
    space.some((one) => !one || isEnding(one)) ||
    state
      .list<V1Pod>("pods")
      .some(
        (other) =>
          isOf(other, set) &&
          other.spec?.nodeName === name &&
          other.metadata?.uid !== metadata?.uid,
      )
  );
}
