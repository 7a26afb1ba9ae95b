import { farther, NO_DOMAIN, Tally, UNCHANGED, type Reach } from "../domains.ts";
import type { ClusterFacts, Rejection, Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import type { CompiledConstraint } from "./pod-topology-spread.ts";

const UNEVEN: Rejection = {
  reasons: ["node(s) didn't match pod topology spread constraints"],
  isUnresolvable: false,
};
const NO_LABEL: Rejection = {
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  isUnresolvable: true,
};

interface Counted {
  readonly constraint: CompiledConstraint;
  /** Of nodes that count: they have all topology keys, and the constraint includes them. */
  readonly eligible: Tally;
  /** By slot: the domain of the node, whether it counts or not. */
  readonly domains: number[];
}

/**
 * The hard constraints of a class: in no domain more than `maxSkew` Pods above the emptiest.
 *
 * @spec k8s@1.36 podtopologyspread filtering.go
 */
export class SpreadFilter implements Topology {
  readonly #counted: readonly Counted[];
  readonly #cluster: ClusterFacts;

  constructor(constraints: readonly CompiledConstraint[], cluster: ClusterFacts) {
    this.#cluster = cluster;
    this.#counted = constraints.map((constraint) => ({
      constraint,
      eligible: new Tally(),
      domains: [],
    }));
  }

  look(slot: number, node: NodeInfo | undefined): Reach {
    let reach: Reach = UNCHANGED;
    const { domains: names } = this.#cluster;
    let hasAllKeys = node !== undefined;
    for (const { constraint, domains } of this.#counted) {
      domains[slot] = node ? names.of(constraint.topologyKey, node.node) : NO_DOMAIN;
      if (domains[slot] === NO_DOMAIN) hasAllKeys = false;
    }
    for (const { constraint, eligible, domains } of this.#counted) {
      const counts = hasAllKeys && constraint.includes(node!);
      const matching = counts ? constraint.matching(node!) : 0;
      reach = farther(reach, eligible.set(slot, counts ? domains[slot]! : NO_DOMAIN, matching));
    }
    return reach;
  }

  test(slot: number): Rejection | undefined {
    for (let i = 0; i < this.#counted.length; i++) {
      const { constraint, eligible, domains } = this.#counted[i]!;
      const domain = domains[slot]!;
      if (domain === NO_DOMAIN) return NO_LABEL;
      const lowest = eligible.count < constraint.minDomains ? 0 : eligible.lowest;
      const own = constraint.matchesItself ? 1 : 0;
      if (eligible.total(domain) + own - lowest > constraint.maxSkew) return UNEVEN;
    }
    return undefined;
  }
}
