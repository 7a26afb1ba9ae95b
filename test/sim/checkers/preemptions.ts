import type { V1Node, V1Pod } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { disruptionOf } from "./deletions.ts";
import { allocatableOf, excess, isOver } from "./pod-requests.ts";
import { isForbidding, namedNode } from "./pods.ts";
import { isEnding } from "./replica-sets.ts";
import { Versions } from "./versions.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * A Pod makes way only for one of higher priority that waited, and only on a node that had no room for it. Judged by what the scheduler may
 * have read. At rest no Pod waits that could have what others of lower priority have.
 */
export const preemptions: Checker = {
  name: "preemptions",
  check({ changes, facts }) {
    const state = new WorldState();
    const versions = new Versions();
    const seen = new Map<string, Set<string>>();
    return changes.flatMap((change) => {
      state.apply(change);
      versions.note(change);
      if (change.resource !== "pods") return [];
      const { namespace, name } = (change.object ?? change.old)!.metadata!;
      seen.set("pods", (seen.get("pods") ?? new Set()).add(`${namespace}/${name}`));
      if (!isPreemption(change)) return [];
      const victim = change.old as V1Pod;
      const since = change.atMs - facts.staleMs;
      const past = [...seen.get("pods")!].flatMap((key) => versions.of<V1Pod>("pods", key, since));
      const all = past.filter((pod): pod is V1Pod => pod !== undefined && !isOver(pod));
      const waiting = all.filter((pod) => !pod.spec?.nodeName && isAbove(pod, victim));
      const what = `${change.key} made way at ${change.revision}`;
      if (waiting.length === 0) return [`${what}, and nobody of higher priority waited`];
      const node = state.get<V1Node>("nodes", victim.spec?.nodeName ?? "");
      if (!node) return [];
      const there = newestOf(all.filter(({ spec }) => spec?.nodeName === node.metadata?.name));
      const isNeeded = waiting.some((pod) => excess([...there, pod], allocatableOf(node)) !== "");
      return isNeeded ? [] : [`${what}, and all had room on ${node.metadata?.name}`];
    });
  },
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const all = state.list<V1Pod>("pods").filter((pod) => !isOver(pod));
    const waiting = all.filter(
      ({ spec }) => spec?.nodeName === undefined && spec?.preemptionPolicy !== "Never",
    );
    return waiting.flatMap((pod) =>
      state.list<V1Node>("nodes").flatMap((node) => {
        const name = node.metadata!.name!;
        const isClosed = node.spec?.unschedulable || (node.spec?.taints ?? []).some(isForbidding);
        if (isClosed || (namedNode(pod) ?? name) !== name) return [];
        const own = all.filter(({ spec }) => spec?.nodeName === name);
        const staying = own.filter((other) => !isAbove(pod, other));
        const isPossible = staying.length < own.length;
        return isPossible && excess([...staying, pod], allocatableOf(node)) === ""
          ? [`${keyOf(pod)} waits, and Pods of lower priority are on ${name}`]
          : [];
      }),
    );
  },
};

/** A Pod begins to make way for another. */
export function isPreemption({ old, object }: Change): boolean {
  if (!old || isEnding(old) || (object && !isEnding(object))) return false;
  return disruptionOf((object ?? old) as V1Pod) === "PreemptionByScheduler";
}

function isAbove({ spec }: V1Pod, other: V1Pod): boolean {
  return (spec?.priority ?? 0) > (other.spec?.priority ?? 0);
}

/** One version of each Pod. */
function newestOf(pods: readonly V1Pod[]): readonly V1Pod[] {
  return [...new Map(pods.map((pod) => [pod.metadata?.uid, pod])).values()];
}
