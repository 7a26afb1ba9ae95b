import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { labelSelectorOf } from "../../api/machinery/label-selector.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import type {
  V1LabelSelector,
  V1Node,
  V1Pod,
  V1PodAffinityTerm,
  V1PodSpec,
  V1TopologySpreadConstraint,
} from "../../gen/types.ts";
import { PodClasses, type PodClass, type TopologyRule } from "../pod-class.ts";
import { SchedulerCache } from "../scheduler-cache.ts";
import { Workloads } from "../workloads.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";
import type { Plugin } from "../framework.ts";

const WORLDS = 60;
const STEPS = 60;
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const HOSTNAME = "kubernetes.io/hostname";
const PLUGINS = [interPodAffinity(), podTopologySpread()] as readonly Plugin[];

/** Everything a scan reads: nodes with their Pods, and the labels of namespaces. */
interface Scene {
  readonly nodes: readonly { readonly node: V1Node; readonly pods: readonly V1Pod[] }[];
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const labelsOf = (object: V1Node | V1Pod): Readonly<Record<string, string>> =>
  object.metadata?.labels ?? {};

/** True when `term`, which `owner` has, is about `other`. */
function isAbout(scene: Scene, term: V1PodAffinityTerm, owner: V1Pod, other: V1Pod): boolean {
  const { namespaces = [], namespaceSelector, labelSelector } = term;
  const namespace = other.metadata!.namespace!;
  const isNamed =
    namespaces.length === 0 && !namespaceSelector
      ? namespace === owner.metadata!.namespace
      : namespaces.includes(namespace);
  const isSelected =
    namespaceSelector !== undefined &&
    labelSelectorOf(namespaceSelector).matches(scene.namespaces.get(namespace) ?? {});
  return (isNamed || isSelected) && labelSelectorOf(labelSelector).matches(labelsOf(other));
}

/** All placed Pods whose node has the same value of the key as `node`. */
function podsInDomain(scene: Scene, node: V1Node, key: string): readonly V1Pod[] {
  const value = labelsOf(node)[key];
  if (value === undefined) return [];
  return scene.nodes.flatMap((one) => (labelsOf(one.node)[key] === value ? one.pods : []));
}

/** By the words of the documentation, for one node, looking at every Pod. */
function naiveAffinity(scene: Scene, pod: V1Pod, node: V1Node): string | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec!.affinity ?? {};
  const near = podAffinity?.[REQUIRED] ?? [];
  const matchesAll = (other: V1Pod): boolean =>
    near.every((term) => isAbout(scene, term, pod, other));
  if (near.length > 0) {
    if (near.some(({ topologyKey }) => labelsOf(node)[topologyKey] === undefined))
      return "node(s) didn't match pod affinity rules";
    const isNear = near.every(({ topologyKey }) =>
      podsInDomain(scene, node, topologyKey).some(matchesAll),
    );
    const isAnywhere = scene.nodes.some(
      (one) =>
        near.some(({ topologyKey }) => labelsOf(one.node)[topologyKey] !== undefined) &&
        one.pods.some(matchesAll),
    );
    if (!isNear && !(!isAnywhere && matchesAll(pod)))
      return "node(s) didn't match pod affinity rules";
  }
  for (const term of podAntiAffinity?.[REQUIRED] ?? [])
    if (podsInDomain(scene, node, term.topologyKey).some((o) => isAbout(scene, term, pod, o)))
      return "node(s) didn't match pod anti-affinity rules";
  const keysOf = (other: V1Pod): readonly V1PodAffinityTerm[] =>
    other.spec!.affinity?.podAntiAffinity?.[REQUIRED] ?? [];
  const isKeptAway = scene.nodes
    .flatMap(({ pods }) => pods)
    .some((other) =>
      keysOf(other).some(
        (term) =>
          isAbout(scene, term, other, pod) &&
          podsInDomain(scene, node, term.topologyKey).includes(other),
      ),
    );
  return isKeptAway ? "node(s) didn't satisfy existing pods anti-affinity rules" : undefined;
}

function naiveAffinityRaw(scene: Scene, pod: V1Pod, node: V1Node): number {
  let sum = 0;
  const add = (key: string, weight: number, isHit: (other: V1Pod) => boolean): void => {
    sum += weight * podsInDomain(scene, node, key).filter(isHit).length;
  };
  const { podAffinity, podAntiAffinity } = pod.spec!.affinity ?? {};
  for (const { weight, podAffinityTerm: term } of podAffinity?.[PREFERRED] ?? [])
    add(term.topologyKey, weight, (other) => isAbout(scene, term, pod, other));
  for (const { weight, podAffinityTerm: term } of podAntiAffinity?.[PREFERRED] ?? [])
    add(term.topologyKey, -weight, (other) => isAbout(scene, term, pod, other));
  for (const other of scene.nodes.flatMap(({ pods }) => pods)) {
    const theirs = other.spec!.affinity ?? {};
    const isOther = (one: V1Pod): boolean => one === other;
    for (const term of theirs.podAffinity?.[REQUIRED] ?? [])
      if (isAbout(scene, term, other, pod)) add(term.topologyKey, 1, isOther);
    for (const { weight, podAffinityTerm: term } of theirs.podAffinity?.[PREFERRED] ?? [])
      if (isAbout(scene, term, other, pod)) add(term.topologyKey, weight, isOther);
    for (const { weight, podAffinityTerm: term } of theirs.podAntiAffinity?.[PREFERRED] ?? [])
      if (isAbout(scene, term, other, pod)) add(term.topologyKey, -weight, isOther);
  }
  return sum;
}

interface NaiveConstraint extends V1TopologySpreadConstraint {
  readonly chosen: V1LabelSelector | undefined;
}

function constraintsOf(pod: V1Pod): readonly NaiveConstraint[] {
  return (pod.spec!.topologySpreadConstraints ?? []).map((one) => {
    const added = (one.matchLabelKeys ?? []).flatMap((key) => {
      const value = labelsOf(pod)[key];
      return value === undefined ? [] : [{ key, operator: "In", values: [value] }];
    });
    const { labelSelector } = one;
    const matchExpressions = [...(labelSelector?.matchExpressions ?? []), ...added];
    return { ...one, chosen: labelSelector && { ...labelSelector, matchExpressions } };
  });
}

/** Pods of a node that a constraint counts; an empty selector counts none. */
function counted(pods: readonly V1Pod[], one: NaiveConstraint, pod: V1Pod): number {
  const selector = labelSelectorOf(one.chosen);
  if (selector.isEverything) return 0;
  return pods.filter(
    (other) =>
      !other.metadata!.deletionTimestamp &&
      other.metadata!.namespace === pod.metadata!.namespace &&
      selector.matches(labelsOf(other)),
  ).length;
}

function isIncluded(one: NaiveConstraint, pod: V1Pod, node: V1Node): boolean {
  const { nodeSelector = {}, tolerations = [] } = pod.spec!;
  const isAllowed = Object.entries(nodeSelector).every(([k, v]) => labelsOf(node)[k] === v);
  const isTainted = (node.spec?.taints ?? []).length > 0 && tolerations.length === 0;
  return (
    (one.nodeAffinityPolicy === "Ignore" || isAllowed) &&
    !(one.nodeTaintsPolicy === "Honor" && isTainted)
  );
}

const hasKeys = (all: readonly NaiveConstraint[], node: V1Node): boolean =>
  all.every(({ topologyKey }) => labelsOf(node)[topologyKey] !== undefined);

function naiveSpread(scene: Scene, pod: V1Pod, node: V1Node): string | undefined {
  const hard = constraintsOf(pod).filter((one) => one.whenUnsatisfiable === "DoNotSchedule");
  for (const one of hard) {
    const value = labelsOf(node)[one.topologyKey];
    if (value === undefined)
      return "node(s) didn't match pod topology spread constraints (missing required label)";
    const sums = new Map<string, number>();
    for (const each of scene.nodes) {
      if (!hasKeys(hard, each.node) || !isIncluded(one, pod, each.node)) continue;
      const domain = labelsOf(each.node)[one.topologyKey]!;
      sums.set(domain, (sums.get(domain) ?? 0) + counted(each.pods, one, pod));
    }
    const lowest = sums.size < (one.minDomains ?? 1) ? 0 : Math.min(...sums.values());
    const own = labelSelectorOf(one.chosen).matches(labelsOf(pod)) ? 1 : 0;
    if ((sums.get(value) ?? 0) + own - lowest > one.maxSkew)
      return "node(s) didn't match pod topology spread constraints";
  }
  return undefined;
}

/** Scores of the nodes in `passed`, by name. */
function naiveSpreadScores(
  scene: Scene,
  pod: V1Pod,
  passed: readonly V1Node[],
): Map<string, number> {
  const soft = constraintsOf(pod).filter((one) => one.whenUnsatisfiable === "ScheduleAnyway");
  const ranked = passed.filter((node) => hasKeys(soft, node));
  const raw = new Map<string, number>();
  for (const node of ranked) {
    let score = 0;
    for (const one of soft) {
      const { topologyKey: key } = one;
      const values = new Set(ranked.map((each) => labelsOf(each)[key]));
      const size = key === HOSTNAME ? ranked.length : values.size;
      const inDomain = scene.nodes.filter((each) =>
        key === HOSTNAME
          ? each.node === node
          : hasKeys(soft, each.node) &&
            isIncluded(one, pod, each.node) &&
            labelsOf(each.node)[key] === labelsOf(node)[key],
      );
      const pods = inDomain.reduce((sum, each) => sum + counted(each.pods, one, pod), 0);
      score += pods * Math.log(size + 2) + (one.maxSkew - 1);
    }
    raw.set(node.metadata!.name!, Math.round(score));
  }
  const [highest, lowest] = [Math.max(0, ...raw.values()), Math.min(...raw.values())];
  return new Map(
    passed.map(({ metadata }) => {
      const score = raw.get(metadata!.name!);
      if (score === undefined) return [metadata!.name!, 0];
      if (highest === 0) return [metadata!.name!, 100];
      return [metadata!.name!, Math.trunc((100 * (highest + lowest - score)) / highest)];
    }),
  );
}

/** One class whose rules are kept from step to step, and shown only what changed. */
interface Kept {
  readonly pod: V1Pod;
  podClass: PodClass | undefined;
  rules: readonly TopologyRule[];
  position: number;
  domainsVersion: number;
}

class World {
  readonly cache = new SchedulerCache();
  readonly #classes = new PodClasses(PLUGINS, this.cache.interest, new Workloads());
  readonly #random: SeededRandom;
  readonly #seed: number;
  readonly #nodes = new Map<string, V1Node>();
  readonly #pods = new Map<string, V1Pod>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #kept: Kept[];
  #names = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#kept = Array.from({ length: 4 }, () => ({
      pod: this.#pod(`waiting${this.#names++}`),
      podClass: undefined,
      rules: [],
      position: -1,
      domainsVersion: -1,
    }));
  }

  step(): void {
    const what = this.#random.integer(12);
    if (what < 3) this.#setNode();
    else if (what === 3) this.#removeNode();
    else if (what === 4) this.#removePod();
    else if (what === 5) this.#setNamespace();
    else if (what === 6) this.#changePod();
    else this.#setPod(`p${this.#names++}`);
  }

  check(): void {
    const scene: Scene = {
      nodes: [...this.#nodes.values()].map((node) => ({
        node,
        pods: [...this.#pods.values()].filter((p) => p.spec!.nodeName === node.metadata!.name),
      })),
      namespaces: this.#namespaces,
    };
    for (const kept of this.#kept) this.#checkOne(scene, kept);
  }

  #checkOne(scene: Scene, kept: Kept): void {
    const { cache } = this;
    this.#follow(kept);
    const told = (plugin: string, slot: number): string | undefined =>
      kept.rules.find((rule) => rule.plugin === plugin)?.topology.test?.(slot)?.reasons[0];
    for (const { node, slot } of cache.nodes) {
      const about = `seed ${this.#seed}, node ${node.metadata!.name}`;
      assert.equal(told("InterPodAffinity", slot), naiveAffinity(scene, kept.pod, node), about);
      assert.equal(told("PodTopologySpread", slot), naiveSpread(scene, kept.pod, node), about);
    }
    const passed = cache.nodes.filter(() => this.#random.integer(4) > 0);
    const names = passed.map(({ node }) => node);
    const raw = names.map((node) => naiveAffinityRaw(scene, kept.pod, node));
    const [low, high] = [Math.min(...raw), Math.max(...raw)];
    const expected = raw.map((one) =>
      high > low ? Math.trunc(100 * ((one - low) / (high - low))) : 0,
    );
    assert.deepEqual(
      this.#ranked(kept, "InterPodAffinity", passed),
      expected,
      `seed ${this.#seed}, raw ${raw.join()}`,
    );
    const spread = naiveSpreadScores(scene, kept.pod, names);
    const isSpread = constraintsOf(kept.pod).some((c) => c.whenUnsatisfiable === "ScheduleAnyway");
    assert.deepEqual(
      this.#ranked(kept, "PodTopologySpread", passed),
      names.map(({ metadata }) => (isSpread ? spread.get(metadata!.name!) : 0)),
      `seed ${this.#seed}`,
    );
  }

  #ranked(kept: Kept, plugin: string, passed: SchedulerCache["nodes"]): readonly number[] {
    const scores = new Int32Array(64);
    const slots = Int32Array.from(passed, ({ slot }) => slot);
    const rule = kept.rules.find((one) => one.plugin === plugin)?.topology;
    const isAny = rule?.rank?.(slots, slots.length, scores) ?? false;
    return [...slots].map((slot) => (isAny ? scores[slot]! : 0));
  }

  #follow(kept: Kept): void {
    const { cache } = this;
    const podClass = this.#classes.of(kept.pod);
    const isStale =
      kept.podClass !== podClass ||
      kept.domainsVersion !== cache.domains.version ||
      kept.rules.some(({ topology }) => topology.isStale?.());
    if (isStale) {
      kept.podClass = podClass;
      kept.rules = podClass.topologies(cache);
      for (const { topology } of kept.rules)
        for (const node of cache.nodes) topology.look(node.slot, node);
    } else
      for (let at = kept.position; at < cache.changes.end; at++)
        for (const { topology } of kept.rules) {
          const slot = cache.changes.at(at);
          topology.look(slot, cache.nodes[slot]);
        }
    kept.position = cache.changes.end;
    kept.domainsVersion = cache.domains.version;
  }

  #setNode(): void {
    const name = `n${this.#random.integer(9)}`;
    const labels = {
      ...(this.#chance(8) ? {} : { [HOSTNAME]: name }),
      ...(this.#chance(6) ? {} : { zone: `z${this.#random.integer(3)}` }),
      ...(this.#chance(2) && { disk: "ssd" }),
    };
    const taints = this.#chance(4) ? [{ key: "k", effect: "NoSchedule" }] : [];
    const node = { metadata: { name, labels }, spec: { taints }, status: { allocatable: {} } };
    this.#nodes.set(name, node);
    this.cache.setNode(node);
  }

  #removeNode(): void {
    const name = `n${this.#random.integer(9)}`;
    this.#nodes.delete(name);
    this.cache.removeNode(name);
  }

  #setNamespace(): void {
    const name = `ns${this.#random.integer(3)}`;
    const labels = { team: `t${this.#random.integer(2)}` };
    this.#namespaces.set(name, labels);
    this.cache.setNamespace(name, labels);
  }

  #setPod(name: string): void {
    const pod = this.#pod(name);
    const placed = { ...pod, spec: { ...pod.spec!, nodeName: `n${this.#random.integer(9)}` } };
    this.#pods.set(name, placed);
    this.cache.setPod(placed);
  }

  #removePod(): void {
    const names = [...this.#pods.keys()];
    const name = names[this.#random.integer(Math.max(1, names.length))];
    if (name === undefined) return;
    this.#pods.delete(name);
    this.cache.removePod(name);
  }

  /** Other labels, or it is about to end. */
  #changePod(): void {
    const pods = [...this.#pods.values()];
    const pod = pods[this.#random.integer(Math.max(1, pods.length))];
    if (!pod) return;
    const metadata = this.#chance(3)
      ? { ...pod.metadata!, deletionTimestamp: "2026-01-01T00:00:00Z" }
      : { ...pod.metadata!, labels: this.#labels() };
    this.#pods.set(metadata.name!, { ...pod, metadata });
    this.cache.setPod({ ...pod, metadata });
  }

  #pod(name: string): V1Pod {
    const namespace = `ns${this.#random.integer(3)}`;
    return { metadata: { name, uid: name, namespace, labels: this.#labels() }, spec: this.#spec() };
  }

  #labels(): Record<string, string> {
    return { app: `a${this.#random.integer(2)}`, hash: `h${this.#random.integer(2)}` };
  }

  #spec(): V1PodSpec {
    const some = <T>(make: () => T): T[] =>
      Array.from({ length: Math.max(0, this.#random.integer(4) - 1) }, make);
    const weighted = () => ({
      weight: 1 + this.#random.integer(9),
      podAffinityTerm: this.#term(),
    });
    const affinity = () => ({
      [REQUIRED]: some(() => this.#term()),
      [PREFERRED]: some(weighted),
    });
    return {
      containers: [],
      affinity: {
        ...(this.#chance(2) && { podAffinity: affinity() }),
        ...(this.#chance(2) && { podAntiAffinity: affinity() }),
      },
      ...(this.#chance(3) && { nodeSelector: { disk: "ssd" } }),
      ...(this.#chance(2) && { tolerations: [{ operator: "Exists" }] }),
      topologySpreadConstraints: some(() => this.#constraint()),
    };
  }

  #term(): V1PodAffinityTerm {
    const namespaceSelector = this.#chance(2) ? {} : { matchLabels: { team: "t0" } };
    return {
      topologyKey: this.#chance(2) ? "zone" : HOSTNAME,
      labelSelector: this.#selector(),
      ...(this.#chance(4) && { namespaces: ["ns1"] }),
      ...(this.#chance(4) && { namespaceSelector }),
    };
  }

  #constraint(): V1TopologySpreadConstraint {
    const isHard = this.#chance(2);
    return {
      topologyKey: this.#chance(2) ? "zone" : HOSTNAME,
      maxSkew: 1 + this.#random.integer(2),
      whenUnsatisfiable: isHard ? "DoNotSchedule" : "ScheduleAnyway",
      labelSelector: this.#selector(),
      ...(isHard && this.#chance(3) && { minDomains: 1 + this.#random.integer(4) }),
      ...(this.#chance(3) && { nodeAffinityPolicy: "Ignore" }),
      ...(this.#chance(3) && { nodeTaintsPolicy: "Honor" }),
      ...(this.#chance(3) && { matchLabelKeys: ["hash"] }),
    };
  }

  #selector(): V1LabelSelector {
    if (this.#chance(8)) return {};
    if (this.#chance(4)) return { matchExpressions: [{ key: "hash", operator: "Exists" }] };
    return { matchLabels: { app: `a${this.#random.integer(2)}` } };
  }

  #chance(parts: number): boolean {
    return this.#random.integer(parts) === 0;
  }
}

describe("rules about other Pods", () => {
  it(`${WORLDS} random worlds: what is folded from changes is what a scan of all Pods finds`, () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = new World(seed);
      for (let step = 0; step < STEPS; step++) {
        world.step();
        world.check();
      }
    }
  });
});
