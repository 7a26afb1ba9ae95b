import type { V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { Deletions } from "./deletions.ts";
import { isOver } from "./pod-requests.ts";
import { isEnding, isOf, isReady } from "./replica-sets.ts";
import { Versions } from "./versions.ts";
import { keyOf, WorldState } from "./world-state.ts";

const SETS = "apps/statefulsets";

/**
 * An ordered StatefulSet makes a Pod when all below it are ready, takes the highest away first, and updates one when all above
 * it are ready. Judged by what its controller may have read.
 */
export const setOrder: Checker = {
  name: "set order",
  check(history) {
    const { changes, facts } = history;
    const state = new WorldState();
    const deletions = new Deletions(history);
    const versions = new Versions();
    return changes.flatMap((change) => {
      state.apply(change);
      versions.note(change);
      const pod = (change.object ?? change.old) as V1Pod;
      if (change.resource !== "pods") return [];
      const set = state.list<V1StatefulSet>(SETS).find((one) => isOf(pod, one));
      const place = state.get("namespaces", pod.metadata?.namespace ?? "");
      if (!place || isEnding(place)) return [];
      if (!set || isEnding(set) || set.spec?.podManagementPolicy === "Parallel") return [];
      const since = change.atMs - facts.staleMs;
      const problem =
        !change.old && change.object
          ? early(set, pod, versions, since)
          : deletions.isControllers(change) && !isOver(change.old!)
            ? hasty(set, change, state, versions, since)
            : "";
      return problem ? [`${change.key} at ${change.revision}: ${problem}`] : [];
    });
  },
};

/** The number in a Pod's name. */
export function ordinalOf({ metadata }: V1Pod): number {
  return Number(/-(\d+)$/.exec(metadata?.name ?? "")?.[1]);
}

function mayHaveBeenReady(versions: Versions, key: string, since: number): boolean {
  return versions
    .of<V1Pod>("pods", key, since)
    .some((pod) => pod !== undefined && isReady(pod) && !isEnding(pod));
}

/** It is made before those below it are ready. */
function early(set: V1StatefulSet, pod: V1Pod, versions: Versions, since: number): string {
  const start = set.spec?.ordinals?.start ?? 0;
  const below = Array.from(
    { length: ordinalOf(pod) - start },
    (_, i) => `${keyOf(set)}-${start + i}`,
  );
  const missing = below.find((key) => !mayHaveBeenReady(versions, key, since));
  return missing === undefined ? "" : `it was made before ${missing} was ready`;
}

/** It is taken away before its time. */
function hasty(
  set: V1StatefulSet,
  { object, old }: Change,
  state: WorldState,
  versions: Versions,
  since: number,
): string {
  const own = ordinalOf((object ?? old) as V1Pod);
  const known = versions.of<V1StatefulSet>(SETS, keyOf(set), since);
  const isSurplus = known.some((one) => {
    const { replicas = 1, ordinals } = one?.spec ?? {};
    return one !== undefined && own >= (ordinals?.start ?? 0) + replicas;
  });
  const higher = state.list<V1Pod>("pods").filter((pod) => isOf(pod, set) && ordinalOf(pod) > own);
  if (isSurplus) {
    const left = higher.find(
      (pod) => !versions.of("pods", keyOf(pod), since).some((one) => one === undefined),
    );
    return left ? `it is taken away before ${keyOf(left)} is gone` : "";
  }
  const isAsked = known.some((one) => one?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable);
  const busy = higher.find((pod) => !mayHaveBeenReady(versions, keyOf(pod), since));
  return busy && !isAsked ? `it is updated before ${keyOf(busy)} is ready` : "";
}
