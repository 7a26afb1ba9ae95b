import type { V1ConfigMap, V1Node, V1Pod } from "../../../src/gen/types.ts";
import type { Sandbox } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { allocatableOf, excess, isOver } from "./pod-requests.ts";
import { isReady } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

/**
 * At rest every Pod that can run does: one that fits on a node is bound, one that is bound and has all it needs is ready;
 * and a running container, or the sandbox of one, has its Pod.
 */
export const pods: Checker = {
  name: "pods",
  checkAtRest({ changes, runtimes, facts }) {
    const state = WorldState.after(changes);
    const all = state.list<V1Pod>("pods").filter((pod) => !isOver(pod));
    const isComplete = (pod: V1Pod): boolean => hasAll(pod, state, facts.missingImages);
    const waiting = all.filter(({ spec }) => spec?.nodeName === undefined);
    const idle = all.filter(
      (pod) => pod.spec?.nodeName !== undefined && isComplete(pod) && !isReady(pod),
    );
    const isAmong =
      (among: readonly V1Pod[]) =>
      ({ node, podUid }: Sandbox): boolean =>
        among.some(({ metadata, spec }) => metadata?.uid === podUid && spec?.nodeName === node);
    const { running = [], sandboxes = [] } = runtimes.at(-1) ?? {};
    const stray = running.filter((container) => !isAmong(all)(container));
    const left = sandboxes.filter((sandbox) => !isAmong(state.list<V1Pod>("pods"))(sandbox));
    return [
      ...waiting.flatMap((pod) => unbound(pod, all, state)),
      ...idle.map((pod) => `${keyOf(pod)} on ${pod.spec?.nodeName} is not ready`),
      ...stray.map(({ node, namespace, pod, container }) => {
        return `${container} of ${namespace}/${pod} runs on ${node} without its Pod`;
      }),
      ...left.map(({ node, namespace, pod }) => {
        return `the sandbox of ${namespace}/${pod} is left on ${node}`;
      }),
    ];
  },
};

/** Its images can be pulled, and the ConfigMaps that its volumes need are there. */
function hasAll({ spec, metadata }: V1Pod, state: WorldState, missing: readonly string[]): boolean {
  const images = (spec?.containers ?? []).map(({ image }) => image ?? "");
  const maps = (spec?.volumes ?? []).flatMap(({ configMap }) =>
    configMap && !configMap.optional ? [`${metadata?.namespace}/${configMap.name}`] : [],
  );
  return (
    images.every((image) => !missing.includes(image)) &&
    maps.every((key) => state.get<V1ConfigMap>("configmaps", key) !== undefined)
  );
}

function unbound(pod: V1Pod, all: readonly V1Pod[], state: WorldState): readonly string[] {
  const fitting = state.list<V1Node>("nodes").filter((node) => {
    if (node.spec?.unschedulable || (node.spec?.taints ?? []).some(isForbidding)) return false;
    if ((namedNode(pod) ?? node.metadata!.name) !== node.metadata!.name) return false;
    const own = all.filter(({ spec }) => spec?.nodeName === node.metadata!.name);
    return excess([...own, pod], allocatableOf(node)) === "";
  });
  return fitting.map(({ metadata }) => `${keyOf(pod)} is not bound, and fits on ${metadata!.name}`);
}

/** The one node that a Pod of a DaemonSet is for. */
export function namedNode({ spec }: V1Pod): string | undefined {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0];
}

/** It lets no new Pod come. */
export function isForbidding({ effect }: { readonly effect: string }): boolean {
  return effect !== "PreferNoSchedule";
}
