import type { Checker } from "./checker.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** At rest nothing is left of what has ended: nobody's dependents, no namespace's objects, nothing that is still ending. */
export const orphans: Checker = {
  name: "orphans",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const all = [...state.all()];
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
        ...(deletionTimestamp === undefined ? [] : [`${what}: it is still being deleted`]),
      ];
    });
  },
};
