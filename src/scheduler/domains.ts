import type { V1Node } from "../gen/types.ts";

/** Of a node that is in no domain of a key. */
export const NO_DOMAIN = -1;

/** Names that are remembered beyond twice the nodes there are, before all are numbered anew. */
const IDLE_NAMES_MAX = 1_000;

/**
 * Numbers for the values of topology keys: `topology.kubernetes.io/zone` = `z1` → 0.
 *
 * Shared by all classes, so that 5,000 host names are not kept once for each. Names are given up all at once, when far more are
 * known than there are nodes; `version` then grows, and whoever holds numbers begins anew.
 */
export class Domains {
  readonly #byKey = new Map<string, Map<string, number>>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** The number of the domain that a node is in. */
  of(key: string, node: V1Node): number {
    const value = node.metadata?.labels?.[key];
    if (value === undefined) return NO_DOMAIN;
    let numbers = this.#byKey.get(key);
    if (!numbers) this.#byKey.set(key, (numbers = new Map()));
    let number = numbers.get(value);
    if (number === undefined) numbers.set(value, (number = numbers.size));
    return number;
  }

  /** Called now and then with how many nodes there are. */
  trim(nodes: number): void {
    const isLarge = [...this.#byKey.values()].some(({ size }) => size > 2 * nodes + IDLE_NAMES_MAX);
    if (!isLarge) return;
    this.#byKey.clear();
    this.#version++;
  }
}

/** How far a change reaches: not at all, to the node alone, or to other nodes too. */
export const UNCHANGED = 0;
export const SELF = 1;
export const OTHERS = 2;
export type Reach = typeof UNCHANGED | typeof SELF | typeof OTHERS;

/** The farther of two. */
export function farther(a: Reach, b: Reach): Reach {
  return a > b ? a : b;
}

/**
 * Sums by domain, folded from what each node adds: a changed node costs its own difference, never a scan.
 *
 * A node takes part in at most one domain. A domain is there as long as a node takes part, even with nothing.
 */
export class Tally {
  /** By slot. */
  #domains = new Int32Array(0);
  #added = new Int32Array(0);
  /** By domain. */
  #totals = new Int32Array(0);
  #nodes = new Int32Array(0);
  /** How many domains have each total. */
  readonly #histogram = new Map<number, number>();
  #count = 0;
  #lowest = 0;
  #sum = 0;

  /** How many domains there are. */
  get count(): number {
    return this.#count;
  }

  /** The lowest total of all domains; 0 when there is none. */
  get lowest(): number {
    return this.#lowest;
  }

  get sum(): number {
    return this.#sum;
  }

  total(domain: number): number {
    return domain < 0 || domain >= this.#totals.length ? 0 : this.#totals[domain]!;
  }

  /** The total of the domain that the node of a slot takes part in. */
  at(slot: number): number {
    const domain = slot < this.#domains.length ? this.#domains[slot]! - 1 : NO_DOMAIN;
    return domain < 0 ? 0 : this.#totals[domain]!;
  }

  /** True when the node of a slot takes part. */
  isIn(slot: number): boolean {
    return slot < this.#domains.length && this.#domains[slot]! > 0;
  }

  /** What the node of a slot adds now, and to which domain. `NO_DOMAIN`: it takes no part. */
  set(slot: number, domain: number, amount: number): Reach {
    if (slot >= this.#domains.length) this.#growSlots(slot);
    const oldDomain = this.#domains[slot]! - 1;
    const oldAmount = this.#added[slot]!;
    if (oldDomain === domain && (oldAmount === amount || domain < 0)) return UNCHANGED;
    if (domain >= this.#totals.length) this.#growDomains(domain);
    const { lowest, sum, count } = this;
    this.#domains[slot] = domain + 1;
    this.#added[slot] = amount;
    let isShared = false;
    if (oldDomain === domain) {
      isShared = this.#nodes[domain]! > 1;
      this.#move(domain, amount - oldAmount, 0);
    } else {
      if (oldDomain >= 0) isShared = this.#move(oldDomain, -oldAmount, -1) > 0;
      if (domain >= 0) isShared = this.#move(domain, amount, 1) > 1 || isShared;
    }
    const isForAll =
      lowest !== this.lowest || count !== this.count || (sum === 0) !== (this.#sum === 0);
    return isShared || isForAll ? OTHERS : SELF;
  }

  /** @returns how many nodes take part in the domain now. */
  #move(domain: number, amount: number, nodes: number): number {
    const [oldTotal, oldNodes] = [this.#totals[domain]!, this.#nodes[domain]!];
    const [total, members] = [oldTotal + amount, oldNodes + nodes];
    this.#totals[domain] = total;
    this.#nodes[domain] = members;
    this.#sum += amount;
    if (oldNodes > 0) this.#note(oldTotal, -1);
    if (members > 0) this.#note(total, 1);
    this.#count += (members > 0 ? 1 : 0) - (oldNodes > 0 ? 1 : 0);
    this.#settleLowest(oldNodes > 0 ? oldTotal : undefined, members > 0 ? total : undefined);
    return members;
  }

  #settleLowest(left: number | undefined, came: number | undefined): void {
    if (this.#count === 0) this.#lowest = 0;
    else if (came !== undefined && (came < this.#lowest || this.#count === 1)) this.#lowest = came;
    else if (left === this.#lowest && !this.#histogram.has(left)) this.#lowest = this.#nextAbove();
  }

  #nextAbove(): number {
    // Mostly the next number: a domain that had the lowest total got one more.
    const near = this.#lowest + 1;
    return this.#histogram.has(near) ? near : Math.min(...this.#histogram.keys());
  }

  #note(total: number, by: 1 | -1): void {
    const domains = (this.#histogram.get(total) ?? 0) + by;
    if (domains === 0) this.#histogram.delete(total);
    else this.#histogram.set(total, domains);
  }

  #growSlots(slot: number): void {
    this.#domains = grown(this.#domains, slot);
    this.#added = grown(this.#added, slot);
  }

  #growDomains(domain: number): void {
    this.#totals = grown(this.#totals, domain);
    this.#nodes = grown(this.#nodes, domain);
  }
}

/** Numbers by slot or domain: `undefined` never, zero at first. */
export function grown(array: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(64, 2 * array.length, index + 1));
  larger.set(array);
  return larger;
}
