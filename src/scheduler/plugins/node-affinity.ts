import type {
  V1Node,
  V1NodeAffinity,
  V1NodeSelectorTerm,
  V1PodSpec,
  V1PreferredSchedulingTerm,
} from "../../gen/types.ts";
import { scaledUp, type Plugin, type Scoring } from "../framework.ts";
import { matchesAnyTerm, matchesTerm } from "../../api/core/node-selector-terms.ts";

const REJECTED = {
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  isUnresolvable: true,
};

/** The nodes that a Pod allows. */
export interface AllowedNodes {
  readonly selector: readonly (readonly [string, string])[];
  readonly terms: readonly V1NodeSelectorTerm[] | null;
}

const NOT_ENFORCED = {
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
  isUnresolvable: true,
};

interface Demand extends AllowedNodes {
  readonly preferred: readonly V1PreferredSchedulingTerm[];
}

/** `undefined`: all nodes. */
export function allowedNodes({ nodeSelector, affinity }: V1PodSpec): AllowedNodes | undefined {
  const selector = Object.entries(nodeSelector ?? {});
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (selector.length === 0 && !required) return undefined;
  return { selector, terms: required?.nodeSelectorTerms ?? null };
}

const ALL: AllowedNodes = { selector: [], terms: null };

function read(spec: V1PodSpec, added: V1NodeAffinity): Demand | undefined {
  const allowed = allowedNodes(spec);
  const preferred = [
    ...(spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(added.preferredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  const isDemanding = allowed || preferred.length > 0 || addedTerms(added);
  return isDemanding ? { ...(allowed ?? ALL), preferred } : undefined;
}

function addedTerms(added: V1NodeAffinity): readonly V1NodeSelectorTerm[] | undefined {
  return added.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

/** True when the Pod allows the node. */
export function isAllowed({ selector, terms }: AllowedNodes, node: V1Node): boolean {
  const labels = node.metadata?.labels ?? {};
  return (
    selector.every(([key, value]) => labels[key] === value) &&
    (terms === null || matchesAnyTerm(terms, node))
  );
}

/**
 * The nodes that all terms name, as those of a DaemonSet's Pods do; `undefined`: some term is about other fields alone.
 *
 * @spec k8s@1.36 nodeaffinity PreFilter: terms are alternatives, the requirements of one term hold together
 */
function namedNodes({ terms }: Demand): readonly string[] | undefined {
  if (terms === null || terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const lists = matchFields
      .filter(({ key, operator }) => key === "metadata.name" && operator === "In")
      .map(({ values = [] }) => values);
    const [first, ...others] = lists;
    if (!first) return undefined;
    for (const name of first) if (others.every((list) => list.includes(name))) names.add(name);
  }
  return [...names];
}

const preference: Scoring<Demand> = {
  scorer: ({ preferred }) =>
    preferred.length === 0
      ? undefined
      : ({ node }) =>
          preferred.reduce(
            (sum, { weight, preference: term }) => sum + (matchesTerm(term, node) ? weight : 0),
            0,
          ),
  normalized: scaledUp,
};

/**
 * nodeSelector and nodeAffinity; `added`: what the profile demands of every Pod besides.
 *
 * @spec k8s@1.36 plugins/nodeaffinity; NodeAffinityArgs addedAffinity
 */
export function nodeAffinity(added: V1NodeAffinity = {}): Plugin<Demand> {
  const enforced = addedTerms(added);
  return {
    name: "NodeAffinity",
    read: (spec) => read(spec, added),
    // @spec nodeaffinity errReasonConflict: no node has two names.
    gate: (demand) =>
      namedNodes(demand)?.length === 0 ? "pod affinity terms conflict" : undefined,
    candidates: namedNodes,
    filter(demand) {
      if (demand.selector.length === 0 && demand.terms === null && !enforced) return undefined;
      return ({ node }) => {
        if (enforced && !matchesAnyTerm(enforced, node)) return NOT_ENFORCED;
        return isAllowed(demand, node) ? undefined : REJECTED;
      };
    },
    weight: 2,
    scoring: preference,
    canHelp: (change, demand) =>
      change.kind === "node" &&
      isAllowed(demand, change.node) &&
      (enforced !== undefined || !(change.old && isAllowed(demand, change.old))),
  };
}
