import type { V1Pod } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { disruptionOf } from "./deletions.ts";
import { isOver } from "./pod-requests.ts";
import { WorldState } from "./world-state.ts";

/**
 * Never two Pods of one ordinal: a Pod of a StatefulSet runs only when the one before it has ended, unless that one was
 * deleted by force or with its node, when nobody waited for its end.
 */
export const ordinals: Checker = {
  name: "ordinals",
  check({ changes, runtimes }) {
    const state = new WorldState();
    const last = new Map<string, V1Pod>();
    let next = 0;
    return runtimes.flatMap(({ revision, running }) => {
      while (next < changes.length && changes[next]!.revision <= revision) {
        const change = changes[next++]!;
        state.apply(change);
        if (change.resource === "pods" && change.object)
          last.set(change.object.metadata?.uid ?? "", change.object);
      }
      const byKey = new Map<string, Set<string>>();
      for (const { namespace, pod, podUid } of running) {
        if (!isStateful(last.get(podUid))) continue;
        const key = `${namespace}/${pod}`;
        byKey.set(key, (byKey.get(key) ?? new Set()).add(podUid));
      }
      return [...byKey].flatMap(([key, uids]) => {
        const now = state.get("pods", key)?.metadata?.uid;
        const twins = [...uids].filter((uid) => uid === now || hasEnded(last.get(uid)!));
        return twins.length > 1 ? [`${key} runs ${twins.length} times at ${revision}`] : [];
      });
    });
  },
};

/** Its kubelet has said so; not who takes away what is left of a node that an administrator has deleted. */
function hasEnded(pod: V1Pod): boolean {
  return isOver(pod) && disruptionOf(pod) !== "DeletionByPodGC";
}

function isStateful(pod: V1Pod | undefined): boolean {
  return (pod?.metadata?.ownerReferences ?? []).some(({ kind }) => kind === "StatefulSet");
}
