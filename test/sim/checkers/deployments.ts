import type { Instant } from "../../../src/base/clock.ts";
import type { V1Deployment, V1Pod, V1ReplicaSet } from "../../../src/gen/types.ts";
import { isAhead, nowAfter } from "./ready-since.ts";
import type { Checker } from "./checker.ts";
import { isOf, isReady } from "./replica-sets.ts";
import { limitsOf, setsOf } from "./rollout-limits.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** At rest every Deployment has its replicas: all of the newest revision where all Pods are available, else within its limits. */
export const deployments: Checker = {
  name: "deployments",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    return state.list<V1Deployment>("apps/deployments").flatMap((deployment) => {
      const versions = changes.flatMap(({ object }) =>
        object?.metadata?.uid === deployment.metadata?.uid ? [object as V1Deployment] : [],
      );
      // Who is given a smaller surge while it rolls takes nothing back of what it had.
      const totalMax = Math.max(...versions.map((version) => limitsOf(version).totalMax));
      const problems = judge(deployment, totalMax, state, nowAfter(changes));
      return problems.map((problem) => `${keyOf(deployment)}: ${problem}`);
    });
  },
};

function judge(
  deployment: V1Deployment,
  totalMax: number,
  state: WorldState,
  now: Instant,
): readonly string[] {
  const { spec, status, metadata } = deployment;
  const isSeen = status?.observedGeneration === metadata?.generation;
  if (!isSeen) return [`generation ${metadata?.generation} was not observed`];
  if (spec?.paused) return [];
  const sets = setsOf(deployment, state.list<V1ReplicaSet>("apps/replicasets"));
  const pods = state.list<V1Pod>("pods").filter((pod) => sets.some((set) => isOf(pod, set)));
  const total = sets.reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0);
  const { replicas } = limitsOf(deployment);
  const isAvailable = (pod: V1Pod): boolean => isReady(pod) && !isAhead(pod, now);
  if (pods.length !== total || !pods.every(isAvailable))
    return total > totalMax ? [`its sets want ${total} pods, ${totalMax} at most`] : [];
  const newest = sets.reduce<V1ReplicaSet | undefined>(
    (best, set) => (revisionOf(set) > revisionOf(best) ? set : best),
    undefined,
  );
  const updated = newest?.spec?.replicas ?? 0;
  return [
    ...(total === replicas && updated === replicas
      ? []
      : [`${updated} of ${total} pods are of the newest revision, ${replicas} are wanted`]),
    ...((status?.availableReplicas ?? 0) === replicas
      ? []
      : [`status.availableReplicas ${status?.availableReplicas ?? 0}, due ${replicas}`]),
  ];
}

function revisionOf(set: V1ReplicaSet | undefined): number {
  return Number(set?.metadata?.annotations?.["deployment.kubernetes.io/revision"] ?? -1);
}
