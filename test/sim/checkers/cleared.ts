import type { Checker } from "./checker.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** What only users bring about. */
const THEIRS = [
  "pods",
  "apps/replicasets",
  "apps/deployments",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
];

/** When users have deleted all that was theirs, nothing is left of it. */
export const cleared: Checker = {
  name: "cleared",
  checkAtRest({ changes, runtimes, facts }) {
    if (!facts.isCleared) return [];
    const state = WorldState.after(changes);
    const { sandboxes = [] } = runtimes.at(-1) ?? {};
    return [
      ...THEIRS.flatMap((resource) =>
        state.list(resource).map((object) => `${resource} ${keyOf(object)} is left`),
      ),
      ...sandboxes.map(({ node, namespace, pod }) => `${node} has still ${namespace}/${pod}`),
    ];
  },
};
