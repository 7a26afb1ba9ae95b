import { claimNamesOf } from "../../../src/api/storage/binding.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { V1Pod } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * At rest nothing is left of what has ended: nobody's dependents, no namespace's objects, nothing that is still ending. Claims that
 * Pods use wait for these, and who goes after its dependents waits for such claims.
 */
export const orphans: Checker = {
  name: "orphans",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const all = [...state.all()];
    const waiting = waitingFor(all);
    const uids = new Set(all.map(([, { metadata }]) => metadata?.uid));
    return all.flatMap(([resource, object]) => {
      const { namespace, ownerReferences = [], deletionTimestamp } = object.metadata ?? {};
      const what = `${resource} ${keyOf(object)}`;
      const isOwned =
        ownerReferences.length === 0 || ownerReferences.some(({ uid }) => uids.has(uid));
      const hasPlace = namespace === undefined || state.get("namespaces", namespace) !== undefined;
      return [
        ...(isOwned ? [] : [`${what}: its owners are gone`]),
        ...(hasPlace ? [] : [`${what}: its namespace is gone`]),
        ...(deletionTimestamp === undefined || waiting.has(object.metadata?.uid)
          ? []
          : [`${what}: it is still being deleted`]),
      ];
    });
  },
};

/** UIDs of claims that Pods on nodes use, which stay themselves, and of the owners that such claims hold back. */
function waitingFor(
  all: readonly (readonly [string, KubeObject])[],
): ReadonlySet<string | undefined> {
  const used = new Set<string>();
  for (const [resource, object] of all) {
    if (resource !== "pods" || object.metadata?.deletionTimestamp !== undefined) continue;
    const pod = object as V1Pod;
    if (!pod.spec?.nodeName) continue;
    for (const name of claimNamesOf(pod)) used.add(`${pod.metadata?.namespace}/${name}`);
  }
  const waiting = new Set<string | undefined>();
  for (const [resource, object] of all) {
    if (resource !== "persistentvolumeclaims" || !used.has(keyOf(object))) continue;
    if (object.metadata?.deletionTimestamp === undefined) continue;
    waiting.add(object.metadata.uid);
    for (const { uid, blockOwnerDeletion } of object.metadata.ownerReferences ?? [])
      if (blockOwnerDeletion) waiting.add(uid);
  }
  return waiting;
}
