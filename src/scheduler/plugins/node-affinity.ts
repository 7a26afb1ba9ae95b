import type {
  V1Node,
  V1NodeSelectorTerm,
  V1Pod,
  V1PreferredSchedulingTerm,
} from "../../gen/types.ts";
import { normalizeByMaximum, type Plugin, type Scoring } from "../framework.ts";
import { matchesAnyTerm, matchesTerm } from "../../api/core/node-selector-terms.ts";

const REJECTED = {
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  isUnresolvable: true,
};

interface Demand {
  readonly selector: readonly (readonly [string, string])[];
  readonly terms: readonly V1NodeSelectorTerm[] | undefined;
}

function demandOf(pod: V1Pod): Demand | undefined {
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (selector.length === 0 && !required) return undefined;
  return { selector, terms: required?.nodeSelectorTerms };
}

function fits({ selector, terms }: Demand, node: V1Node): boolean {
  const labels = node.metadata?.labels ?? {};
  return (
    selector.every(([key, value]) => labels[key] === value) &&
    (terms === undefined || matchesAnyTerm(terms, node))
  );
}

const preference: Scoring<readonly V1PreferredSchedulingTerm[]> = {
  weight: 2,
  prepare: (pod) => {
    const preferred =
      pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    return preferred && preferred.length > 0 ? preferred : undefined;
  },
  score: (preferred, { node }) =>
    preferred.reduce(
      (sum, { weight, preference: term }) => sum + (matchesTerm(term, node) ? weight : 0),
      0,
    ),
  normalize: (scores) => normalizeByMaximum(scores, false),
};

/** nodeSelector and nodeAffinity. @spec k8s@1.36 plugins/nodeaffinity */
export const nodeAffinity: Plugin<Demand> = {
  name: "NodeAffinity",
  prepareFilter: demandOf,
  filter: (demand, { node }) => (fits(demand, node) ? undefined : REJECTED),
  score: preference,
  canHelp: (change, pod) => {
    const demand = demandOf(pod);
    return change.kind === "node" && (demand === undefined || fits(demand, change.node));
  },
};
