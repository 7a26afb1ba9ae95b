import {
  matches,
  type AffinityTerm,
  type AffinityTerms,
  type Selectable,
} from "../affinity-terms.ts";
import { farther, NO_DOMAIN, Tally, UNCHANGED, type Reach } from "../domains.ts";
import { SCORE_MAX, type ClusterFacts, type Rejection, type Topology } from "../framework.ts";
import type { NodeInfo, PlacedPod } from "../node-info.ts";
import { ownTermsOf, type AffinityInput, type AffinitySettings } from "./affinity-input.ts";

const NOT_NEAR: Rejection = {
  reasons: ["node(s) didn't match pod affinity rules"],
  isUnresolvable: true,
};
const TOO_NEAR: Rejection = {
  reasons: ["node(s) didn't match pod anti-affinity rules"],
  isUnresolvable: false,
};
const KEPT_AWAY: Rejection = {
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
  isUnresolvable: false,
};

/** What is counted by domain. */
type Count = "near" | "avoided" | "avoiding" | "score";

/** One count for one topology key, and what the node that is being looked at adds to it. */
interface KeyTally {
  readonly key: string;
  readonly count: Count;
  readonly tally: Tally;
  adds: number;
}

/** What one placed Pod's terms mean for the class. */
interface Effect {
  readonly count: Count;
  readonly key: string;
  readonly amount: number;
}

/**
 * Where the Pods are that a class wants to be near or far from, and those that want that of it.
 *
 * Four counts for each topology key: placed Pods that match all required affinity of the class (`near`), that match some of
 * its anti-affinity (`avoided`), whose own anti-affinity matches the class (`avoiding`), and the weights of both sides'
 * preferences (`score`).
 * @spec k8s@1.36 plugins/interpodaffinity filtering.go, scoring.go
 */
export class AffinityTopology implements Topology {
  readonly #cluster: ClusterFacts;
  readonly #settings: AffinitySettings;
  #subject: Selectable;
  readonly #own: AffinityTerms | undefined;
  readonly #isFirstAllowed: boolean;
  readonly #tallies: KeyTally[] = [];
  readonly #nearKeys: readonly string[];
  readonly #effects = new WeakMap<AffinityTerms, readonly Effect[]>();
  readonly #nodes: (NodeInfo["node"] | undefined)[] = [];
  #namespacesVersion: number;
  #readsNamespaces: boolean;

  constructor(input: AffinityInput, settings: AffinitySettings, cluster: ClusterFacts) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#subject = { ...input, namespaceLabels: cluster.namespaceLabels(input.namespace) };
    this.#own = ownTermsOf(input);
    this.#namespacesVersion = cluster.namespacesVersion;
    const { affinity = [], antiAffinity = [], preferred = [], avoided = [] } = this.#own ?? {};
    this.#readsNamespaces = [...affinity, ...antiAffinity, ...preferred, ...avoided].some(
      ({ namespaceSelector }) => namespaceSelector,
    );
    this.#nearKeys = [...new Set(affinity.map(({ topologyKey }) => topologyKey))];
    this.#isFirstAllowed =
      input.matchesItself && affinity.every((term) => isAboutNamespace(term, this.#subject));
    for (const key of this.#nearKeys) this.#tallyOf("near", key);
  }

  isStale(): boolean {
    return this.#readsNamespaces && this.#namespacesVersion !== this.#cluster.namespacesVersion;
  }

  look(slot: number, node: NodeInfo | undefined): Reach {
    this.#nodes[slot] = node?.node;
    if (node) {
      if (this.#own) for (const placed of node.pods.values()) this.#addOwn(this.#own, placed);
      for (const placed of node.affinityPods) this.#addTheirs(placed);
    }
    let reach: Reach = UNCHANGED;
    for (const one of this.#tallies) {
      const domain = node ? this.#cluster.domains.of(one.key, node.node) : NO_DOMAIN;
      reach = farther(reach, one.tally.set(slot, domain, one.adds));
      one.adds = 0;
    }
    return reach;
  }

  test(slot: number): Rejection | undefined {
    if (this.#nearKeys.length > 0 && !this.#isNear(slot)) return NOT_NEAR;
    for (const { count, tally } of this.#tallies)
      if (count === "avoided" && tally.at(slot) > 0) return TOO_NEAR;
    for (const { count, tally } of this.#tallies)
      if (count === "avoiding" && tally.at(slot) > 0) return KEPT_AWAY;
    return undefined;
  }

  rank(slots: Int32Array, count: number, scores: Int32Array): boolean {
    const tallies = this.#tallies.filter((one) => one.count === "score").map(({ tally }) => tally);
    if (tallies.length === 0) return false;
    let [lowest, highest] = [Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let t = 0; t < tallies.length; t++) sum += tallies[t]!.at(slots[i]!);
      scores[slots[i]!] = sum;
      if (sum < lowest) lowest = sum;
      if (sum > highest) highest = sum;
    }
    const span = highest - lowest;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      scores[slot] = span > 0 ? Math.trunc(SCORE_MAX * ((scores[slot]! - lowest) / span)) : 0;
    }
    return true;
  }

  /** In the domain of all that it must be near, or the first of its kind. */
  #isNear(slot: number): boolean {
    let isEach = true;
    let isNowhere = true;
    for (const { count, tally } of this.#tallies) {
      if (count !== "near") continue;
      if (!tally.isIn(slot)) return false;
      if (tally.at(slot) === 0) isEach = false;
      if (tally.sum !== 0) isNowhere = false;
    }
    return isEach || (isNowhere && this.#isFirstAllowed);
  }

  /** What the class's own terms say of a placed Pod. */
  #addOwn(own: AffinityTerms, { pod }: PlacedPod): void {
    const { namespace = "", labels = {} } = pod.metadata ?? {};
    const namespaceLabels = this.#cluster.namespaceLabels(namespace);
    const other = { namespace, namespaceLabels, labels };
    if (own.affinity.length > 0 && own.affinity.every((term) => matches(term, other)))
      for (const { topologyKey } of own.affinity) this.#add("near", topologyKey, 1);
    for (const term of own.antiAffinity)
      if (matches(term, other)) this.#add("avoided", term.topologyKey, 1);
    for (const term of own.preferred)
      if (matches(term, other)) this.#add("score", term.topologyKey, term.weight);
    for (const term of own.avoided)
      if (matches(term, other)) this.#add("score", term.topologyKey, term.weight);
  }

  /** What a placed Pod's terms say of the class. */
  #addTheirs({ terms }: PlacedPod): void {
    if (!terms) return;
    let effects = this.#effects.get(terms);
    if (!effects) this.#effects.set(terms, (effects = this.#effectsOf(terms)));
    for (const { count, key, amount } of effects) this.#add(count, key, amount);
  }

  #effectsOf(terms: AffinityTerms): readonly Effect[] {
    const { hardPodAffinityWeight: hard, ignorePreferredTermsOfExistingPods } = this.#settings;
    const preferences = ignorePreferredTermsOfExistingPods
      ? []
      : [...terms.preferred, ...terms.avoided];
    const of = (
      list: readonly AffinityTerm[],
      count: Count,
      amount: (term: AffinityTerm) => number,
    ): readonly Effect[] =>
      list.flatMap((term) => {
        if (term.namespaceSelector) this.#readNamespaces();
        if (!matches(term, this.#subject)) return [];
        return [{ count, key: term.topologyKey, amount: amount(term) }];
      });
    return [
      ...of(terms.antiAffinity, "avoiding", () => 1),
      ...(hard > 0 ? of(terms.affinity, "score", () => hard) : []),
      ...of(preferences, "score", ({ weight }) => weight),
    ];
  }

  /** The first time, what was read of namespaces at the beginning is not followed yet, and may be old. */
  #readNamespaces(): void {
    if (this.#readsNamespaces) return;
    this.#readsNamespaces = true;
    this.#namespacesVersion = this.#cluster.namespacesVersion;
    const namespaceLabels = this.#cluster.namespaceLabels(this.#subject.namespace);
    this.#subject = { ...this.#subject, namespaceLabels };
  }

  #add(count: Count, key: string, amount: number): void {
    this.#tallyOf(count, key).adds += amount;
  }

  #tallyOf(count: Count, key: string): KeyTally {
    const tallies = this.#tallies;
    for (let i = 0; i < tallies.length; i++)
      if (tallies[i]!.key === key && tallies[i]!.count === count) return tallies[i]!;
    const made: KeyTally = { key, count, tally: new Tally(), adds: 0 };
    this.#tallies.push(made);
    // The nodes seen so far take part with nothing.
    this.#nodes.forEach((node, slot) => {
      if (node) made.tally.set(slot, this.#cluster.domains.of(key, node), 0);
    });
    return made;
  }
}

function isAboutNamespace(
  { namespaces, namespaceSelector }: AffinityTerm,
  { namespace, namespaceLabels }: Selectable,
): boolean {
  return namespaces.has(namespace) || (namespaceSelector?.matches(namespaceLabels) ?? false);
}
