import type { Random } from "../base/random.ts";
import type { Refusal } from "./fit-message.ts";
import { firstRefusal } from "./cycle.ts";
import type { NodeScorer, Rejection, Scoring } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass, Reader } from "./pod-class.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import { NO_SCORE, ScoreTree } from "./score-tree.ts";

const FEASIBLE = -1;
/** Of a slot that has no node. */
const ABSENT = -2;

/** A plugin whose scores count as they are, or (with `raw`) in relation to the highest. */
interface Ranking {
  readonly reader: Reader;
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

/**
 * What one class of Pods makes of every node, kept from decision to decision: only nodes that changed are looked at again.
 *
 * Guarantee: what {@link pick} and {@link refusals} say is what `decide` in cycle.ts finds, looking at all nodes anew. A score
 * reads nothing but the class and the node, and what it reads of the cluster is compared each time.
 * @bounds about 40 bytes for each node of the cluster, rounded up to a power of two.
 */
export class ClassScores {
  readonly #podClass: PodClass;
  readonly #cache: SchedulerCache;
  #tree = new ScoreTree(1);
  #plain: readonly Ranking[] = [];
  #normalized: readonly Normalized[] = [];
  /** By slot: sum of what needs no normalization. */
  #base = new Int32Array(0);
  /** By slot: index of {@link #refused}, FEASIBLE or ABSENT. */
  #verdicts = new Int16Array(0);
  #refused: { readonly plugin: string; readonly rejection: Rejection; nodes: number }[] = [];
  #feasible = 0;
  /** Position in the cache's log of changes up to which all is taken in; -1: nothing is. */
  #position = -1;
  #factsVersion = -1;

  constructor(podClass: PodClass, cache: SchedulerCache) {
    this.#podClass = podClass;
    this.#cache = cache;
  }

  /** How many nodes would do. */
  get feasible(): number {
    return this.#feasible;
  }

  /** Takes in what has changed since the last time. */
  update(): void {
    const { changes, nodes } = this.#cache;
    const isStale =
      this.#position < changes.begin || nodes.length > this.#tree.capacity || this.#areFactsStale();
    if (isStale) return this.#begin();
    const from = this.#position;
    this.#position = changes.end;
    let isShifted = false;
    for (let at = from; at < changes.end; at++) isShifted = this.#look(changes.at(at)) || isShifted;
    if (isShifted && this.#renormalize()) return this.#totalAll();
    for (let at = from; at < changes.end; at++) this.#total(changes.at(at));
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

  /** Looks at all nodes. */
  #begin(): void {
    const { changes, nodes, factsVersion } = this.#cache;
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
    this.#base = new Int32Array(capacity);
    this.#verdicts = new Int16Array(capacity).fill(ABSENT);
    this.#refused = [];
    this.#feasible = 0;
    this.#position = changes.end;
    this.#factsVersion = factsVersion;
    for (let slot = 0; slot < nodes.length; slot++) this.#look(slot);
    this.#renormalize();
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

  /** Looks at one node anew, up to its raw scores. @returns true: the highest of some ranking may be another now. */
  #look(slot: number): boolean {
    // A node that came and went between two looks, where there had never been one.
    if (slot >= this.#tree.capacity) return false;
    const node = this.#cache.nodes[slot];
    const refusal = node && firstRefusal(this.#podClass, node);
    const verdict = !node ? ABSENT : refusal ? this.#codeOf(refusal) : FEASIBLE;
    const wasFeasible = this.#verdicts[slot] === FEASIBLE;
    this.#judge(slot, verdict);
    if (verdict === FEASIBLE) this.#base[slot] = this.#sumOf(node!);
    let isShifted = false;
    for (const ranking of this.#normalized) {
      const { raw, highest } = ranking;
      if (wasFeasible && raw[slot] === highest && --ranking.highestNodes === 0) isShifted = true;
      if (verdict !== FEASIBLE) continue;
      raw[slot] = ranking.scorer(node!);
      if (raw[slot] === highest) ranking.highestNodes++;
      else if (raw[slot]! > highest) isShifted = true;
    }
    return isShifted;
  }

  #sumOf(node: NodeInfo): number {
    let sum = 0;
    for (const { scoring, scorer } of this.#plain) sum += scoring.weight * scorer(node);
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
    for (const { scoring, raw, highest } of this.#normalized)
      total += scoring.weight * scoring.normalized!(raw[slot]!, highest);
    return total;
  }
}

function rankingOf(reader: Reader, cache: SchedulerCache): readonly Ranking[] {
  const { plugin, input } = reader;
  const { scoring } = plugin;
  const scorer = scoring?.scorer(input, cache);
  if (!scoring || !scorer) return [];
  return [{ reader, scoring, scorer, facts: scoring.facts?.(input, cache) }];
}
