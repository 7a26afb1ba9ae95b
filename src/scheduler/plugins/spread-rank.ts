import { farther, grown, NO_DOMAIN, SELF, Tally, UNCHANGED, type Reach } from "../domains.ts";
import { SCORE_MAX, type ClusterFacts, type Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import type { CompiledConstraint } from "./pod-topology-spread.ts";

const HOSTNAME = "kubernetes.io/hostname";

interface Ranked {
  readonly constraint: CompiledConstraint;
  /** A host is its own domain: counted by node, even one that does not count for others. */
  readonly isPerNode: boolean;
  readonly eligible: Tally;
  /** By slot. */
  readonly domains: number[];
  readonly matching: number[];
}

/**
 * The soft constraints of a class: nodes in emptier domains score higher.
 *
 * Scores are in relation to the other nodes that passed, and so is how much a constraint weighs (by how many domains they are
 * in). So one ranking looks at all of them, but at no Pod.
 * @spec k8s@1.36 podtopologyspread scoring.go
 */
export class SpreadRank implements Topology {
  readonly #ranked: readonly Ranked[];
  readonly #needsAllKeys: boolean;
  readonly #cluster: ClusterFacts;
  /** By slot: the node lacks a topology key, and is not ranked. */
  readonly #isIgnored: boolean[] = [];
  /** By domain: the number of the last ranking that met it. */
  #met = new Int32Array(0);
  #rankings = 0;

  constructor(
    constraints: readonly CompiledConstraint[],
    needsAllKeys: boolean,
    cluster: ClusterFacts,
  ) {
    this.#cluster = cluster;
    this.#needsAllKeys = needsAllKeys;
    this.#ranked = constraints.map((constraint) => ({
      constraint,
      isPerNode: constraint.topologyKey === HOSTNAME,
      eligible: new Tally(),
      domains: [],
      matching: [],
    }));
  }

  look(slot: number, node: NodeInfo | undefined): Reach {
    const { domains: names } = this.#cluster;
    let lacksKey = false;
    let reach: Reach = UNCHANGED;
    for (const { constraint, domains } of this.#ranked) {
      const domain = node ? names.of(constraint.topologyKey, node.node) : NO_DOMAIN;
      if (domains[slot] !== domain) reach = SELF;
      domains[slot] = domain;
      lacksKey ||= domain === NO_DOMAIN;
    }
    this.#isIgnored[slot] = lacksKey && this.#needsAllKeys;
    for (const one of this.#ranked)
      reach = farther(reach, this.#count(one, slot, node, lacksKey && this.#needsAllKeys));
    return reach;
  }

  #count(one: Ranked, slot: number, node: NodeInfo | undefined, isIgnored: boolean): Reach {
    const { constraint, isPerNode, eligible, domains, matching } = one;
    const old = matching[slot];
    matching[slot] = node ? constraint.matching(node) : 0;
    if (isPerNode) return old === matching[slot] ? UNCHANGED : SELF;
    const counts = node !== undefined && !isIgnored && constraint.includes(node);
    return eligible.set(slot, counts ? domains[slot]! : NO_DOMAIN, matching[slot]);
  }

  rank(slots: Int32Array, count: number, scores: Int32Array): boolean {
    const weights = this.#ranked.map((one) => Math.log(this.#sizeOf(one, slots, count) + 2));
    let [lowest, highest] = [Infinity, 0];
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#isIgnored[slot]) continue;
      const score = this.#rawOf(slot, weights);
      scores[slot] = score;
      if (score < lowest) lowest = score;
      if (score > highest) highest = score;
    }
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#isIgnored[slot]) scores[slot] = 0;
      else if (highest === 0) scores[slot] = SCORE_MAX;
      else scores[slot] = Math.trunc((SCORE_MAX * (highest + lowest - scores[slot]!)) / highest);
    }
    return true;
  }

  #rawOf(slot: number, weights: readonly number[]): number {
    let score = 0;
    for (let i = 0; i < this.#ranked.length; i++) {
      const { constraint, isPerNode, eligible, domains, matching } = this.#ranked[i]!;
      const domain = domains[slot]!;
      if (domain === NO_DOMAIN) continue;
      const pods = isPerNode ? matching[slot]! : eligible.total(domain);
      score += pods * weights[i]! + (constraint.maxSkew - 1);
    }
    return Math.round(score);
  }

  /** In how many domains of a constraint these nodes are. Nodes without the key are one, where they are ranked at all. */
  #sizeOf({ isPerNode, domains }: Ranked, slots: Int32Array, count: number): number {
    const ranking = ++this.#rankings;
    let size = 0;
    let hasNone = false;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#isIgnored[slot]) continue;
      const domain = domains[slot]!;
      if (isPerNode) size++;
      else if (domain === NO_DOMAIN) hasNone = true;
      else {
        if (domain >= this.#met.length) this.#met = grown(this.#met, domain);
        if (this.#met[domain] === ranking) continue;
        this.#met[domain] = ranking;
        size++;
      }
    }
    return hasNone ? size + 1 : size;
  }
}
