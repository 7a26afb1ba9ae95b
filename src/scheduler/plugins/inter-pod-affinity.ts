import type { V1Pod } from "../../gen/types.ts";
import {
  affinityTermsOf,
  matches,
  termsOf,
  type AffinityTerm,
  type AffinityTerms,
  type Selectable,
} from "../affinity-terms.ts";
import type { ClusterChange, Plugin, Topology } from "../framework.ts";
import { ownTermsOf, type AffinityInput, type AffinitySettings } from "./affinity-input.ts";
import { AffinityTopology } from "./affinity-topology.ts";

const DEFAULTS: AffinitySettings = {
  hardPodAffinityWeight: 1,
  ignorePreferredTermsOfExistingPods: false,
};

/** Pods that want to be near others, or far from them. @spec k8s@1.36 plugins/interpodaffinity */
export function interPodAffinity(settings: AffinitySettings = DEFAULTS): Plugin<AffinityInput> {
  return {
    name: "InterPodAffinity",
    weight: 2,
    read(spec, pod, around) {
      const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
      const own = {
        ...(podAffinity && { podAffinity }),
        ...(podAntiAffinity && { podAntiAffinity }),
      };
      const hasOwn = podAffinity !== undefined || podAntiAffinity !== undefined;
      const labels = around.relevantLabels(pod);
      if (!hasOwn && !labels) return undefined;
      const { namespace = "" } = pod.metadata ?? {};
      const { affinity = [] } = termsOf(own, namespace) ?? {};
      const isOwn = affinity.every(({ selector }) => selector.matches(pod.metadata?.labels));
      return { namespace, labels: labels ?? {}, own: hasOwn ? own : null, matchesItself: isOwn };
    },
    topology: (input, cluster): Topology => new AffinityTopology(input, settings, cluster),
    heedsPlacements: true,
    canHelp: (change, input) =>
      canHelp(change, ownTermsOf(input), { ...input, namespaceLabels: {} }),
  };
}

/** @spec k8s@1.36 interpodaffinity isSchedulableAfterPodChange, isSchedulableAfterNodeChange */
function canHelp(
  change: ClusterChange,
  own: AffinityTerms | undefined,
  subject: Selectable,
): boolean {
  switch (change.kind) {
    case "node":
      return change.difference?.labels !== false;
    case "node-gone":
    case "storage":
      return false;
    case "pod-placed":
      return (own?.affinity ?? []).some((term) => mayMatch(term, change.pod));
    case "pod-changed":
      return [...(own?.affinity ?? []), ...(own?.antiAffinity ?? [])].some(
        (term) => mayMatch(term, change.pod) !== mayMatch(term, change.old),
      );
    case "pod-freed": {
      const gone = change.pod;
      const isAvoided = (own?.antiAffinity ?? []).some((term) => mayMatch(term, gone));
      if (isAvoided) return true;
      const theirs = affinityTermsOf(gone);
      return (theirs?.antiAffinity ?? []).some(
        (term) => term.namespaceSelector !== undefined || matches(term, subject),
      );
    }
  }
}

/** Whatever the namespace: a try too many is cheaper than to know the labels of all. */
function mayMatch({ selector }: AffinityTerm, pod: V1Pod): boolean {
  return selector.matches(pod.metadata?.labels);
}
