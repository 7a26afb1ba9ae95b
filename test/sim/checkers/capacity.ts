import type { V1Node, V1Pod } from "../../../src/gen/types.ts";
import type { Change, History, RuntimeMoment } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { allocatableOf, excess, isOver } from "./pod-requests.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * No node is given more than it has: neither by the scheduler, which counts the Pods that it bound, nor by the kubelet,
 * which counts those whose containers run.
 */
export const capacity: Checker = {
  name: "capacity",
  check: (history) => [...overBound(history), ...overRun(history)],
};

function isBinding({ resource, old, object }: Change): boolean {
  return (
    resource === "pods" &&
    nodeOf(old) === undefined &&
    old !== undefined &&
    nodeOf(object) !== undefined
  );
}

function nodeOf(object: object | undefined): string | undefined {
  return (object as V1Pod | undefined)?.spec?.nodeName;
}

/** Pods that came with their node were never the scheduler's to count. */
function overBound({ changes }: History): readonly string[] {
  const state = new WorldState();
  const bound = new Set<string>();
  return changes.flatMap((change) => {
    state.apply(change);
    if (!isBinding(change)) return [];
    const pod = change.object as V1Pod;
    bound.add(pod.metadata!.uid!);
    const name = pod.spec!.nodeName!;
    const node = state.get<V1Node>("nodes", name);
    if (!node) return [];
    const own = state
      .list<V1Pod>("pods")
      .filter((one) => nodeOf(one) === name && !isOver(one) && bound.has(one.metadata!.uid!));
    const problem = excess(own, allocatableOf(node));
    return problem ? [`${change.key} was bound to ${name} at ${change.revision}: ${problem}`] : [];
  });
}

function overRun(history: History): readonly string[] {
  const state = new WorldState();
  let next = 0;
  return history.runtimes.flatMap((moment) => {
    while (next < history.changes.length && history.changes[next]!.revision <= moment.revision)
      state.apply(history.changes[next++]!);
    return overRunAt(moment, state);
  });
}

/** Pods that were deleted by force are not known to the kubelet any more; their containers get a second to end. */
function overRunAt({ running, revision }: RuntimeMoment, state: WorldState): readonly string[] {
  const pods = state.list<V1Pod>("pods");
  return [...new Set(running.map(({ node }) => node))].flatMap((name) => {
    const node = state.get<V1Node>("nodes", name);
    // A node that was deleted under its Pods begins anew, and has told nothing yet.
    if (!node?.status?.allocatable) return [];
    const uids = new Set(running.filter((one) => one.node === name).map(({ podUid }) => podUid));
    const own = pods.filter((pod) => uids.has(pod.metadata!.uid!));
    const problem = excess(own, allocatableOf(node));
    const names = own.map(keyOf).join(" ");
    return problem ? [`containers of ${name} at ${revision}: ${problem} (${names})`] : [];
  });
}
