import { labelSelectorOf, type LabelSelector } from "../api/machinery/label-selector.ts";
import { Recent } from "../base/recent.ts";
import type {
  V1Pod,
  V1PodAffinity,
  V1PodAffinityTerm,
  V1WeightedPodAffinityTerm,
} from "../gen/types.ts";

/** Which Pods a term is about, and the domain that they are looked for in. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: LabelSelector;
  readonly namespaces: ReadonlySet<string>;
  /** Of namespaces by their labels, besides those that are named. */
  readonly namespaceSelector: LabelSelector | undefined;
  /** 0 for required terms. */
  readonly weight: number;
}

/** All terms of a Pod about other Pods. */
export interface AffinityTerms {
  readonly affinity: readonly AffinityTerm[];
  readonly antiAffinity: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
  /** Weights are negative. */
  readonly avoided: readonly AffinityTerm[];
}

/** What a term compares: a Pod's namespace, that namespace's labels, and the Pod's labels. */
export interface Selectable {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** @spec k8s@1.36 kube-scheduler framework AffinityTerm.Matches */
export function matches(
  { namespaces, namespaceSelector, selector }: AffinityTerm,
  { namespace, namespaceLabels, labels }: Selectable,
): boolean {
  return (
    (namespaces.has(namespace) || (namespaceSelector?.matches(namespaceLabels) ?? false)) &&
    selector.matches(labels)
  );
}

/** Terms that are remembered: those of the templates at work. */
const TERMS_MAX = 512;

interface Known {
  readonly namespace: string;
  readonly terms: AffinityTerms | undefined;
}

const recent = new Recent<object, Known>(TERMS_MAX);

/** The terms of a Pod; `undefined`: it has none. Remembered by the identity of `spec.affinity`, which binding keeps. */
export function affinityTermsOf({ metadata, spec }: V1Pod): AffinityTerms | undefined {
  const affinity = spec?.affinity;
  if (!affinity?.podAffinity && !affinity?.podAntiAffinity) return undefined;
  const namespace = metadata?.namespace ?? "";
  const known = recent.get(affinity);
  if (known?.namespace === namespace) return known.terms;
  const terms = termsOf(affinity, namespace);
  recent.set(affinity, { namespace, terms });
  return terms;
}

/** The part of `spec.affinity` that is about Pods. */
export interface PodAffinities {
  readonly podAffinity?: V1PodAffinity;
  readonly podAntiAffinity?: V1PodAffinity;
}

/** Reads the terms of a Pod in `namespace`. */
export function termsOf(
  { podAffinity, podAntiAffinity }: PodAffinities,
  namespace: string,
): AffinityTerms | undefined {
  const required = (from: V1PodAffinity | undefined): readonly AffinityTerm[] =>
    (from?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) =>
      termOf(term, namespace, 0),
    );
  const weighted = (from: V1PodAffinity | undefined, sign: 1 | -1): readonly AffinityTerm[] =>
    (from?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((one) =>
      weightedTermOf(one, namespace, sign),
    );
  const terms = {
    affinity: required(podAffinity),
    antiAffinity: required(podAntiAffinity),
    preferred: weighted(podAffinity, 1),
    avoided: weighted(podAntiAffinity, -1),
  };
  return Object.values(terms).every(({ length }) => length === 0) ? undefined : terms;
}

function weightedTermOf(
  { podAffinityTerm, weight }: V1WeightedPodAffinityTerm,
  namespace: string,
  sign: 1 | -1,
): readonly AffinityTerm[] {
  return podAffinityTerm ? [termOf(podAffinityTerm, namespace, sign * weight)] : [];
}

/** Without namespaces and without a selector of them, a term is about the Pod's own namespace. */
function termOf(term: V1PodAffinityTerm, own: string, weight: number): AffinityTerm {
  const { topologyKey, labelSelector, namespaceSelector, namespaces = [] } = term;
  const isAboutOwn = namespaces.length === 0 && !namespaceSelector;
  return {
    topologyKey,
    selector: labelSelectorOf(labelSelector),
    namespaces: new Set(isAboutOwn ? [own] : namespaces),
    namespaceSelector: namespaceSelector && labelSelectorOf(namespaceSelector),
    weight,
  };
}

/** Every term of a Pod. */
export function allTerms(terms: AffinityTerms): readonly AffinityTerm[] {
  return [...terms.affinity, ...terms.antiAffinity, ...terms.preferred, ...terms.avoided];
}
