import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { V1Pod, V1ReplicaSet } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { isOver } from "./pod-requests.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** At rest every ReplicaSet has exactly its replicas, and its status says so. */
export const replicaSets: Checker = {
  name: "replica sets",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const pods = state.list<V1Pod>("pods");
    return state.list<V1ReplicaSet>("apps/replicasets").flatMap((set) => {
      const own = pods.filter((pod) => isOf(pod, set) && !isOver(pod) && !isEnding(pod));
      const { spec, status, metadata } = set;
      const ready = own.filter(isReady).length;
      const differ = (what: string, is: number | undefined, due: number | undefined) =>
        (is ?? 0) === (due ?? 0) ? [] : [`${keyOf(set)}: ${what} ${is ?? 0}, due ${due ?? 0}`];
      return [
        ...differ("pods", own.length, spec?.replicas),
        ...differ("status.replicas", status?.replicas, spec?.replicas),
        ...differ("status.readyReplicas", status?.readyReplicas, ready),
        ...differ("observedGeneration", status?.observedGeneration, metadata?.generation),
      ];
    });
  },
};

/** `owner` controls the object. */
export function isOf({ metadata }: KubeObject, owner: KubeObject): boolean {
  const uid = owner.metadata?.uid;
  return (metadata?.ownerReferences ?? []).some((one) => one.uid === uid && one.controller);
}

/** Its Ready condition is true. */
export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

/** It was asked to end. */
export function isEnding({ metadata }: KubeObject): boolean {
  return metadata?.deletionTimestamp !== undefined;
}
