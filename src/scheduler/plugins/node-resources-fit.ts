import type { NodeTest, Plugin, Rejection } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { allocatableOf, requestsOf, scoredRequestsOf, type Resources } from "../resources.ts";
import { LEAST_ALLOCATED, strategyScorer, type ScoringStrategy } from "./resource-strategies.ts";

interface Wanted {
  /** What must fit: name and amount, without zeros. */
  readonly requests: readonly (readonly [string, number])[];
  /** What the score counts, in the order of the strategy's resources. */
  readonly scored: readonly number[];
}

/** Settings of the plugin. @spec k8s@1.36 kubescheduler.config.k8s.io/v1 NodeResourcesFitArgs */
export interface FitSettings {
  readonly strategy: ScoringStrategy;
  /** Extended resources that are somebody else's business: by name, and by all before the slash. */
  readonly ignored: readonly string[];
  readonly ignoredGroups: readonly string[];
}

const DEFAULTS: FitSettings = { strategy: LEAST_ALLOCATED, ignored: [], ignoredGroups: [] };

/** Requests must fit into what the node has left. @spec k8s@1.36 plugins/noderesources fit.go */
export function nodeResourcesFit(settings: FitSettings = DEFAULTS): Plugin<Wanted> {
  const { strategy } = settings;
  return {
    name: "NodeResourcesFit",
    read: (spec) => {
      const scored = scoredRequestsOf({ spec });
      return {
        requests: [...requestsOf({ spec })].filter(([name]) => !isIgnored(name, settings)),
        scored: strategy.resources.map(({ name }) => scored.get(name)),
      };
    },
    filter: ({ requests }) => fitTest(requests),
    scoring: { scorer: ({ scored }) => strategyScorer(strategy, scored) },
    canHelp: (change, { requests }) => {
      if (change.kind === "pod-freed") return true;
      if (change.kind !== "node") return false;
      if (change.difference?.allocatable === false) return false;
      const allocatable = allocatableOf(change.node.status?.allocatable);
      if (requests.some(([name, amount]) => amount > allocatable.get(name))) return false;
      const before = change.old && allocatableOf(change.old.status?.allocatable);
      return !before || givesMore(before, allocatable, requests);
    },
  };
}

/** @spec fit.go haveAnyRequestedResourcesIncreased */
function givesMore(before: Resources, after: Resources, requests: Wanted["requests"]): boolean {
  return ["pods", ...requests.map(([name]) => name)].some(
    (name) => after.get(name) > before.get(name),
  );
}

function isIgnored(name: string, { ignored, ignoredGroups }: FitSettings): boolean {
  if (!name.includes("/")) return false;
  return ignored.includes(name) || ignoredGroups.includes(name.slice(0, name.indexOf("/")));
}

function fitTest(requests: Wanted["requests"]): NodeTest {
  const rejections = new Map<string, Rejection>();
  const rejection = (reasons: readonly string[], isUnresolvable: boolean): Rejection => {
    const text = `${isUnresolvable} ${reasons.join()}`;
    let found = rejections.get(text);
    if (!found) rejections.set(text, (found = { reasons, isUnresolvable }));
    return found;
  };
  return (node) => {
    const { allocatable } = node;
    if (node.pods.size < node.podsMax && hasRoom(requests, node)) return undefined;
    const isUnresolvable = requests.some(([name, amount]) => amount > allocatable.get(name));
    return rejection(shortages(requests, node), isUnresolvable);
  };
}

function hasRoom(requests: Wanted["requests"], { allocatable, requested }: NodeInfo): boolean {
  for (let i = 0; i < requests.length; i++) {
    const [name, amount] = requests[i]!;
    if (amount > allocatable.get(name) - requested.get(name)) return false;
  }
  return true;
}

function shortages(requests: Wanted["requests"], node: NodeInfo): readonly string[] {
  const short = requests.filter(([name, amount]) => amount > freeAmount(node, name));
  return [
    ...(node.pods.size < node.podsMax ? [] : ["Too many pods"]),
    ...short.map(([name]) => `Insufficient ${name}`),
  ];
}

/** What `skiff why` and the tests ask: the node's free amount of one resource. */
export function freeAmount({ allocatable, requested }: NodeInfo, name: string): number {
  return allocatable.get(name) - requested.get(name);
}
