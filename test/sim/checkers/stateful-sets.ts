import type { V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { isReady } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * At rest a StatefulSet has the Pods of its ordinals and no others, of the newest revision above its partition, unless one of
 * them does not come up: that one stops an ordered set.
 */
export const statefulSets: Checker = {
  name: "stateful sets",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const pods = state.list<V1Pod>("pods");
    return state.list<V1StatefulSet>("apps/statefulsets").flatMap((set) => {
      const uid = set.metadata?.uid;
      const own = pods.filter(({ metadata }) =>
        (metadata?.ownerReferences ?? []).some((one) => one.uid === uid && one.controller),
      );
      return judge(set, own).map((problem) => `${keyOf(set)}: ${problem}`);
    });
  },
};

function judge(set: V1StatefulSet, own: readonly V1Pod[]): readonly string[] {
  const { spec, status, metadata } = set;
  if (status?.observedGeneration !== metadata?.generation)
    return [`generation ${metadata?.generation} was not observed`];
  const start = spec?.ordinals?.start ?? 0;
  const wanted = Array.from({ length: spec?.replicas ?? 1 }, (_, i) => start + i);
  const names = own.map((pod) => pod.metadata!.name!);
  const missing = wanted.filter((ordinal) => !names.includes(`${metadata!.name}-${ordinal}`));
  const surplus = own.length - (wanted.length - missing.length);
  const isStuck = !own.every(isReady);
  const isOrdered = spec?.podManagementPolicy !== "Parallel";
  const count = (what: string, is: number | undefined, due: number): readonly string[] =>
    (is ?? 0) === due ? [] : [`${what} ${is ?? 0}, due ${due}`];
  const counts = [
    ...count("status.replicas", status?.replicas, own.length),
    ...count("status.readyReplicas", status?.readyReplicas, own.filter(isReady).length),
  ];
  if (isStuck && isOrdered) return counts;
  return [
    ...counts,
    ...missing.map((ordinal) => `pod ${ordinal} is missing`),
    ...count("pods beyond its ordinals", surplus, 0),
    ...(isStuck ? [] : outdated(set, own)),
  ];
}

/** Pods that a rolling update should have replaced. */
function outdated({ spec, status }: V1StatefulSet, own: readonly V1Pod[]): readonly string[] {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate") return [];
  const first = (spec?.ordinals?.start ?? 0) + (rollingUpdate?.partition ?? 0);
  return own
    .filter(({ metadata }) => Number(/\d+$/.exec(metadata!.name!)![0]) >= first)
    .filter(
      ({ metadata }) => metadata!.labels!["controller-revision-hash"] !== status?.updateRevision,
    )
    .map((pod) => `${keyOf(pod)} is of an old revision`);
}
