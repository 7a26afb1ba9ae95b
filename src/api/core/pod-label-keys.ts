import type {
  V1Affinity,
  V1LabelSelector,
  V1Pod,
  V1PodAffinity,
  V1PodAffinityTerm,
  V1PodSpec,
} from "../../gen/types.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

/**
 * The Pod with its own values of `matchLabelKeys` and `mismatchLabelKeys` in the selectors of its affinity and spread.
 *
 * Once and for all, when it is made: the scheduler then reads selectors alone, and labels that change later change nothing.
 * @spec k8s@1.36 pkg/registry/core/pod/strategy.go applyLabelKeysToLabelSelector, applyMatchLabelKeys…; KEP-3633, KEP-3243
 */
export function withLabelKeys(pod: V1Pod): V1Pod {
  const { spec } = pod;
  const labels = pod.metadata?.labels;
  // Pods of one template share their spec: one that needs no change must stay the same object.
  if (!spec || !labels || !hasLabelKeys(spec)) return pod;
  const { affinity, topologySpreadConstraints } = spec;
  const spread = topologySpreadConstraints?.map((one) =>
    one.matchLabelKeys
      ? { ...one, ...selectorWith(one.labelSelector, labels, one.matchLabelKeys, []) }
      : one,
  );
  return {
    ...pod,
    spec: {
      ...spec,
      ...(affinity && { affinity: affinityWith(affinity, labels) }),
      ...(spread && { topologySpreadConstraints: spread }),
    },
  };
}

function hasLabelKeys({ affinity, topologySpreadConstraints = [] }: V1PodSpec): boolean {
  if (!affinity && topologySpreadConstraints.length === 0) return false;
  const both = [affinity?.podAffinity, affinity?.podAntiAffinity];
  const terms = both.flatMap((one) => [
    ...(one?.[REQUIRED] ?? []),
    ...(one?.[PREFERRED] ?? []).flatMap(({ podAffinityTerm }) => podAffinityTerm ?? []),
  ]);
  return (
    topologySpreadConstraints.some(({ matchLabelKeys }) => matchLabelKeys) ||
    terms.some(({ matchLabelKeys, mismatchLabelKeys }) => matchLabelKeys ?? mismatchLabelKeys)
  );
}

type Labels = Readonly<Record<string, string>>;

function affinityWith(affinity: V1Affinity, labels: Labels): V1Affinity {
  const { podAffinity, podAntiAffinity } = affinity;
  return {
    ...affinity,
    ...(podAffinity && { podAffinity: termsWith(podAffinity, labels) }),
    ...(podAntiAffinity && { podAntiAffinity: termsWith(podAntiAffinity, labels) }),
  };
}

function termsWith(terms: V1PodAffinity, labels: Labels): V1PodAffinity {
  const { [REQUIRED]: required, [PREFERRED]: preferred } = terms;
  return {
    ...terms,
    ...(required && { [REQUIRED]: required.map((term) => termWith(term, labels)) }),
    ...(preferred && {
      [PREFERRED]: preferred.map((one) =>
        one.podAffinityTerm
          ? { ...one, podAffinityTerm: termWith(one.podAffinityTerm, labels) }
          : one,
      ),
    }),
  };
}

function termWith(term: V1PodAffinityTerm, labels: Labels): V1PodAffinityTerm {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  return { ...term, ...selectorWith(labelSelector, labels, matchLabelKeys, mismatchLabelKeys) };
}

/** Keys that the Pod has no label of are left out. */
function selectorWith(
  labelSelector: V1LabelSelector | undefined,
  labels: Labels,
  matched: readonly string[],
  mismatched: readonly string[],
): { readonly labelSelector?: V1LabelSelector } {
  if (!labelSelector) return {};
  const requirements = (keys: readonly string[], operator: string) =>
    keys
      .filter((key) => Object.hasOwn(labels, key))
      .map((key) => ({ key, operator, values: [labels[key]!] }));
  const added = [...requirements(matched, "In"), ...requirements(mismatched, "NotIn")];
  if (added.length === 0) return { labelSelector };
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
  return { labelSelector: { ...labelSelector, matchExpressions } };
}
