import type { Instant } from "../../../src/base/clock.ts";
import type { V1DaemonSet, V1Node, V1Pod } from "../../../src/gen/types.ts";
import { isAhead, nowAfter } from "./ready-since.ts";
import type { Checker } from "./checker.ts";
import { isReady } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** At rest each node that refuses nobody has one Pod of each DaemonSet, and two only while a new one does not come up. */
export const daemonSets: Checker = {
  name: "daemon sets",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const pods = state.list<V1Pod>("pods");
    const nodes = state
      .list<V1Node>("nodes")
      .filter(({ spec }) => (spec?.taints ?? []).every(({ key }) => key === CORDONED));
    return state.list<V1DaemonSet>("apps/daemonsets").flatMap((set) => {
      const uid = set.metadata?.uid;
      const own = pods.filter(({ metadata }) =>
        (metadata?.ownerReferences ?? []).some((one) => one.uid === uid && one.controller),
      );
      const isSeen = set.status?.observedGeneration === set.metadata?.generation;
      const problems = isSeen
        ? nodes.flatMap(({ metadata }) => judge(set, metadata!.name!, own, nowAfter(changes)))
        : [`generation ${set.metadata?.generation} was not observed`];
      return problems.map((problem) => `${keyOf(set)}: ${problem}`);
    });
  },
};

const CORDONED = "node.kubernetes.io/unschedulable";

function judge(
  set: V1DaemonSet,
  node: string,
  own: readonly V1Pod[],
  now: Instant,
): readonly string[] {
  const here = own.filter((pod) => nodeOf(pod) === node);
  const surges = set.spec?.updateStrategy?.rollingUpdate?.maxSurge === 1;
  const isWhole = here.every((pod) => isReady(pod) && !isAhead(pod, now));
  const most = surges && !isWhole ? 2 : 1;
  return here.length >= 1 && here.length <= most ? [] : [`${here.length} pods on ${node}, due 1`];
}

/** The node that a Pod is bound to, or asks for. */
function nodeOf({ spec }: V1Pod): string | undefined {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return spec?.nodeName ?? required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0];
}
