import type { V1Pod, V1ReplicaSet } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { isOver } from "./pod-requests.ts";
import { isOf } from "./replica-sets.ts";
import { WorldState } from "./world-state.ts";

/**
 * No ReplicaSet makes a Pod beyond its replicas: its controller reads its own writes.
 *
 * One that it made and did not hear of does not count until it can have been told by its watch.
 */
export const surplus: Checker = {
  name: "surplus",
  check({ changes, facts, heard }) {
    const state = new WorldState();
    const madeAt = new Map<string, number>();
    const sizes = new Map<string, { readonly atMs: number; readonly size: number }[]>();
    return changes.flatMap((change) => {
      state.apply(change);
      const { resource, atMs, old, object, key, revision } = change;
      if (resource === "apps/replicasets" && object) {
        const { uid = "" } = object.metadata ?? {};
        const size = (object as V1ReplicaSet).spec?.replicas ?? 0;
        sizes.set(uid, [...(sizes.get(uid) ?? []), { atMs, size }]);
      }
      if (resource !== "pods" || old || !object) return [];
      madeAt.set(object.metadata?.uid ?? "", atMs);
      const set = state.list<V1ReplicaSet>("apps/replicasets").find((one) => isOf(object, one));
      if (!set) return [];
      const isKnown = ({ metadata }: V1Pod): boolean =>
        metadata?.uid === object.metadata?.uid ||
        heard === undefined ||
        heard.has(metadata?.uid ?? "") ||
        (madeAt.get(metadata?.uid ?? "") ?? 0) < atMs - facts.staleMs;
      const own = state
        .list<V1Pod>("pods")
        .filter((pod) => isOf(pod, set) && isActive(pod) && isKnown(pod));
      const known = sizes.get(set.metadata!.uid!) ?? [];
      const first = known.findLastIndex((one) => one.atMs <= atMs - facts.staleMs);
      const most = Math.max(...known.slice(Math.max(0, first)).map(({ size }) => size));
      return own.length > most
        ? [`${key} was made at ${revision} as pod ${own.length} of ${most}`]
        : [];
    });
  },
};

function isActive(pod: V1Pod): boolean {
  return !isOver(pod) && pod.metadata?.deletionTimestamp === undefined;
}
