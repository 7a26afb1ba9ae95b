import { termsOf, type AffinityTerms, type PodAffinities } from "../affinity-terms.ts";

/** What the plugin reads of a Pod. */
export interface AffinityInput {
  readonly namespace: string;
  /** Labels that terms of placed Pods look at. */
  readonly labels: Readonly<Record<string, string>>;
  /** The Pod's own terms. */
  readonly own: PodAffinities | null;
  /** The Pod's labels match its own required affinity: the first of a group need not find the others. */
  readonly matchesItself: boolean;
}

/** Settings of the plugin. @spec k8s@1.36 kubescheduler.config.k8s.io/v1 InterPodAffinityArgs */
export interface AffinitySettings {
  /** What required affinity of placed Pods counts in the score of a Pod that it matches. */
  readonly hardPodAffinityWeight: number;
  readonly ignorePreferredTermsOfExistingPods: boolean;
}

/** Asked for each change of the cluster, so it is read once. */
const ownTerms = new WeakMap<AffinityInput, { readonly terms: AffinityTerms | undefined }>();

/** The terms of the class itself. */
export function ownTermsOf(input: AffinityInput): AffinityTerms | undefined {
  let known = ownTerms.get(input);
  if (!known) {
    known = { terms: input.own ? termsOf(input.own, input.namespace) : undefined };
    ownTerms.set(input, known);
  }
  return known.terms;
}
