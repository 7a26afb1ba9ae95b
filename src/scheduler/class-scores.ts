import type { Random } from "../base/random.ts";
import type { Refusal } from "./fit-message.ts";
import { OTHERS, UNCHANGED, type Reach } from "./domains.ts";
import type { NodeScorer, Rejection, Scoring } from "./framework.ts";
import { firstRefusal, firstRuleRefusal, refusalIf, type Look, type NodeRefusal } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass, Reader, TopologyRule } from "./pod-class.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import { NO_SCORE, ScoreTree } from "./score-tree.ts";

const FEASIBLE = -1;
/** Of a slot that has no node. */
const ABSENT = -2;

/** A plugin whose scores count as they are, or (with `raw`) in relation to the highest. */
interface Ranking {
  readonly reader: Reader;
  readonly weight: number;
  readonly scoring: Scoring<unknown>;
  /** What the scorer read of the cluster. */
  readonly facts: string | undefined;
  readonly scorer: NodeScorer;
}

/** A ranking that is normalized: its raw scores, the highest of a feasible node, and how many have it. */
interface Normalized extends Ranking {
  readonly raw: Int32Array;
  highest: number;
  highestNodes: number;
}

/** A rule about other Pods that ranks nodes, and its scores by slot. */
interface TopologyRanking {
  readonly rule: TopologyRule;
  readonly scores: Int32Array;
  /** False: all nodes are equal to it. */
  isAtWork: boolean;
}

/**
 * What one class of Pods makes of every node, kept from decision to decision: only nodes that changed are looked at again.
 *
 * Guarantee: what {@link pick} and {@link refusals} say is what `FreshLook` finds, looking at all nodes anew. A score
 * reads nothing but the class and the node, and what it reads of the cluster is compared each time. Rules about other Pods
 * say how far a change reaches: where it reaches other nodes their verdicts are asked for again, which reads numbers alone.
 * @bounds about 40 bytes for each node of the cluster, rounded up to a power of two; as many again for each rule about other Pods.
 */
export class ClassScores implements Look {
  readonly #podClass: PodClass;
  readonly #cache: SchedulerCache;
  #tree = new ScoreTree(1);
  #plain: readonly Ranking[] = [];
  #normalized: readonly Normalized[] = [];
  #rules: readonly TopologyRule[] = [];
  #rankings: readonly TopologyRanking[] = [];
  /** By slot: sum of what needs no normalization. */
  #base = new Int32Array(0);
  /** By slot: what the node itself says; index of {@link #refused}, FEASIBLE or ABSENT. */
  #own = new Int16Array(0);
  /** By slot: the same, after the rules about other Pods. */
  #verdicts = new Int16Array(0);
  #refused: { readonly plugin: string; readonly rejection: Rejection; nodes: number }[] = [];
  #feasible = 0;
  /** The slots that passed, for rankings. */
  #passed = new Int32Array(0);
  /** Slots that were counted as refused for one decision alone. */
  #excluded: readonly number[] = [];
  /** Position in the cache's log of changes up to which all is taken in; -1: nothing is. */
  #position = -1;
  #factsVersion = -1;
  #domainsVersion = -1;

  constructor(podClass: PodClass, cache: SchedulerCache) {
    this.#podClass = podClass;
    this.#cache = cache;
  }

  /** How many nodes would do. */
  get feasible(): number {
    return this.#feasible;
  }

  get rules(): readonly TopologyRule[] {
    return this.#rules;
  }

  /** Takes in what has changed since the last time. */
  update(): void {
    const { changes, nodes } = this.#cache;
    const isStale =
      this.#position < changes.begin ||
      nodes.length > this.#tree.capacity ||
      this.#domainsVersion !== this.#cache.domains.version ||
      this.#rules.some(({ topology }) => topology.isStale?.()) ||
      this.#areFactsStale();
    if (isStale) return this.#begin();
    const slots = this.#slotsToLookAt();
    let reach: Reach = UNCHANGED;
    let isShifted = false;
    let isOtherSet = false;
    for (const slot of slots) {
      const wasFeasible = this.#verdicts[slot] === FEASIBLE;
      const looked = this.#lookAround(slot);
      if (looked > reach) reach = looked;
      isShifted = this.#look(slot) || isShifted;
      isOtherSet ||= wasFeasible !== (this.#verdicts[slot] === FEASIBLE);
    }
    if (reach === OTHERS) isOtherSet = this.#judgeAll() || isOtherSet;
    const isRanked = (reach !== UNCHANGED || isOtherSet) && this.#rank();
    const isWide = reach === OTHERS && isOtherSet;
    if ((isShifted || isWide) && this.#renormalize()) return this.#totalAll();
    if (isWide || isRanked) return this.#totalAll();
    for (const slot of slots) this.#total(slot);
  }

  /** Those that changed since the last time, and those whose verdict was only for the last decision. */
  #slotsToLookAt(): readonly number[] {
    const { changes } = this.#cache;
    const slots = [...this.#excluded];
    this.#excluded = [];
    for (; this.#position < changes.end; this.#position++) {
      const slot = changes.at(this.#position);
      // A node that came and went between two looks, where there had never been one.
      if (slot < this.#tree.capacity) slots.push(slot);
    }
    return slots;
  }

  /** One of the best nodes, at random. `undefined`: none would do. */
  pick(random: Random): NodeInfo | undefined {
    const { winners } = this.#tree;
    if (winners === 0) return undefined;
    return this.#cache.nodes[this.#tree.winner(winners === 1 ? 0 : random.integer(winners))];
  }

  /** Why the others would not. */
  refusals(): readonly Refusal[] {
    return this.#refused.filter(({ nodes }) => nodes > 0);
  }

  nodes(): readonly NodeInfo[] {
    return this.#cache.nodes;
  }

  refusal({ slot }: NodeInfo): NodeRefusal | undefined {
    const verdict = this.#verdicts[slot]!;
    return verdict < 0 ? undefined : this.#refused[verdict];
  }

  refusalIf(changed: NodeInfo): NodeRefusal | undefined {
    return refusalIf(this.#podClass, this.#rules, this.#cache, changed);
  }

  exclude(refused: ReadonlyMap<NodeInfo, NodeRefusal>): void {
    if (refused.size === 0) return;
    this.#excluded = [...refused.keys()].map(({ slot }) => slot);
    for (const [{ slot }, refusal] of refused) this.#judge(slot, this.#codeOf(refusal));
    this.#renormalize();
    this.#rank();
    this.#totalAll();
  }

  /** Looks at all nodes. */
  #begin(): void {
    const { changes, nodes, factsVersion, domains } = this.#cache;
    this.#tree = new ScoreTree(nodes.length);
    const { capacity } = this.#tree;
    const rankings = this.#podClass.readers.flatMap((reader) => rankingOf(reader, this.#cache));
    this.#plain = rankings.filter(({ scoring }) => !scoring.normalized);
    this.#normalized = rankings
      .filter(({ scoring }) => scoring.normalized)
      .map((ranking) => ({
        ...ranking,
        raw: new Int32Array(capacity),
        highest: 0,
        highestNodes: 0,
      }));
    this.#rules = this.#podClass.topologies(this.#cache);
    this.#rankings = this.#rules
      .filter(({ topology }) => topology.rank)
      .map((rule) => ({ rule, scores: new Int32Array(capacity), isAtWork: false }));
    this.#base = new Int32Array(capacity);
    this.#own = new Int16Array(capacity).fill(ABSENT);
    this.#verdicts = new Int16Array(capacity).fill(ABSENT);
    this.#passed = new Int32Array(capacity);
    this.#refused = [];
    this.#feasible = 0;
    this.#excluded = [];
    this.#position = changes.end;
    this.#factsVersion = factsVersion;
    this.#domainsVersion = domains.version;
    for (let slot = 0; slot < nodes.length; slot++) this.#lookAround(slot);
    for (let slot = 0; slot < nodes.length; slot++) this.#look(slot);
    this.#renormalize();
    this.#rank();
    this.#totalAll();
  }

  #areFactsStale(): boolean {
    const { factsVersion } = this.#cache;
    if (this.#factsVersion === factsVersion) return false;
    this.#factsVersion = factsVersion;
    // A scorer that had nothing to say may have now, so all readers are asked again.
    const now = this.#podClass.readers.flatMap((reader) => rankingOf(reader, this.#cache));
    const before = [...this.#plain, ...this.#normalized];
    return (
      now.length !== before.length ||
      now.some((one) => one.facts !== before.find(({ reader }) => reader === one.reader)?.facts)
    );
  }

  /** Shows a node to the rules about other Pods. */
  #lookAround(slot: number): Reach {
    const rules = this.#rules;
    let reach: Reach = UNCHANGED;
    for (let i = 0; i < rules.length; i++) {
      const looked = rules[i]!.topology.look(slot, this.#cache.nodes[slot]);
      if (looked > reach) reach = looked;
    }
    return reach;
  }

  /** Looks at one node anew, up to its raw scores. @returns true: the highest of some ranking may be another now. */
  #look(slot: number): boolean {
    const node = this.#cache.nodes[slot];
    const refusal = node && firstRefusal(this.#podClass, node);
    const own = !node ? ABSENT : refusal ? this.#codeOf(refusal) : FEASIBLE;
    this.#own[slot] = own;
    const wasFeasible = this.#verdicts[slot] === FEASIBLE;
    this.#judge(slot, this.#verdictOf(slot));
    const isFeasible = this.#verdicts[slot] === FEASIBLE;
    if (own === FEASIBLE) this.#base[slot] = this.#sumOf(node!);
    let isShifted = false;
    for (const ranking of this.#normalized) {
      const { raw, highest } = ranking;
      if (wasFeasible && raw[slot] === highest && --ranking.highestNodes === 0) isShifted = true;
      if (own !== FEASIBLE) continue;
      raw[slot] = ranking.scorer(node!);
      if (!isFeasible) continue;
      if (raw[slot] === highest) ranking.highestNodes++;
      else if (raw[slot]! > highest) isShifted = true;
    }
    return isShifted;
  }

  #verdictOf(slot: number): number {
    const own = this.#own[slot]!;
    if (own !== FEASIBLE || this.#rules.length === 0) return own;
    const refusal = firstRuleRefusal(this.#rules, slot);
    return refusal ? this.#codeOf(refusal) : FEASIBLE;
  }

  /** Asks the rules about other Pods for all nodes. @returns true: another set of nodes passed than before. */
  #judgeAll(): boolean {
    let isOther = false;
    for (let slot = 0; slot < this.#cache.nodes.length; slot++) {
      const verdict = this.#verdictOf(slot);
      const old = this.#verdicts[slot]!;
      if (old === verdict) continue;
      isOther ||= old === FEASIBLE || verdict === FEASIBLE;
      this.#judge(slot, verdict);
    }
    return isOther;
  }

  /** Lets the rules about other Pods rank the nodes that passed. @returns true: some ranking is at work, or was. */
  #rank(): boolean {
    if (this.#rankings.length === 0) return false;
    let count = 0;
    for (let slot = 0; slot < this.#cache.nodes.length; slot++)
      if (this.#verdicts[slot] === FEASIBLE) this.#passed[count++] = slot;
    let isAny = false;
    for (const ranking of this.#rankings) {
      const wasAtWork = ranking.isAtWork;
      ranking.isAtWork = ranking.rule.topology.rank!(this.#passed, count, ranking.scores);
      isAny ||= wasAtWork || ranking.isAtWork;
    }
    return isAny;
  }

  #sumOf(node: NodeInfo): number {
    let sum = 0;
    for (const { weight, scorer } of this.#plain) sum += weight * scorer(node);
    return sum;
  }

  #judge(slot: number, verdict: number): void {
    const old = this.#verdicts[slot]!;
    if (old === verdict) return;
    if (old === FEASIBLE) this.#feasible--;
    else if (old !== ABSENT) this.#refused[old]!.nodes--;
    if (verdict === FEASIBLE) this.#feasible++;
    else if (verdict !== ABSENT) this.#refused[verdict]!.nodes++;
    this.#verdicts[slot] = verdict;
  }

  /** A filter gives one object for each outcome, so there are few codes. */
  #codeOf({ plugin, rejection }: Omit<Refusal, "nodes">): number {
    const known = this.#refused.findIndex((one) => one.rejection === rejection);
    return known >= 0 ? known : this.#refused.push({ plugin, rejection, nodes: 0 }) - 1;
  }

  /** Finds the highest raw scores again. @returns true: one is another than before, so all totals are wrong. */
  #renormalize(): boolean {
    let isAnother = false;
    for (const ranking of this.#normalized) {
      const old = ranking.highest;
      ranking.highest = 0;
      ranking.highestNodes = 0;
      for (let slot = 0; slot < this.#cache.nodes.length; slot++) {
        if (this.#verdicts[slot] !== FEASIBLE) continue;
        const raw = ranking.raw[slot]!;
        if (raw > ranking.highest) {
          ranking.highest = raw;
          ranking.highestNodes = 1;
        } else if (raw === ranking.highest) ranking.highestNodes++;
      }
      isAnother ||= ranking.highest !== old;
    }
    return isAnother;
  }

  #total(slot: number): void {
    if (slot < this.#tree.capacity) this.#tree.set(slot, this.#totalOf(slot));
  }

  #totalAll(): void {
    for (let slot = 0; slot < this.#tree.capacity; slot++)
      this.#tree.put(slot, this.#totalOf(slot));
    this.#tree.rebuild();
  }

  #totalOf(slot: number): number {
    if (this.#verdicts[slot] !== FEASIBLE) return NO_SCORE;
    let total = this.#base[slot]!;
    for (const { weight, scoring, raw, highest } of this.#normalized)
      total += weight * scoring.normalized!(raw[slot]!, highest);
    for (const { rule, scores, isAtWork } of this.#rankings)
      if (isAtWork) total += rule.weight * scores[slot]!;
    return total;
  }
}

function rankingOf(reader: Reader, cache: SchedulerCache): readonly Ranking[] {
  const { plugin, input } = reader;
  const { scoring } = plugin;
  const scorer = scoring?.scorer(input, cache);
  if (!scoring || !scorer) return [];
  const { weight = 1 } = plugin;
  return [{ reader, weight, scoring, scorer, facts: scoring.facts?.(input, cache) }];
}
