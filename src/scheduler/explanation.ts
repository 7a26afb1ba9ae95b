import type { V1Pod } from "../gen/types.ts";
import { closedTo, type Snapshot } from "./cycle.ts";
import type { Rejection } from "./framework.ts";
import { FreshLook, type Nodes, type NodeRefusal } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass } from "./pod-class.ts";
import { remedyFor } from "./remedy.ts";

/** Why a Pod is where it is, or nowhere. What `skiff why pod/NAME` shows. */
export interface PodExplanation {
  readonly namespace: string;
  readonly name: string;
  readonly state: "scheduled" | "pending" | "gated" | "other-scheduler" | "finished";
  /** One sentence. */
  readonly summary: string;
  /** Of a scheduled Pod: where it is. */
  readonly node?: string;
  /** The best first. */
  readonly nodes: readonly NodeExplanation[];
}

/** What the scheduler makes of one node now, as if the Pod had none. */
export interface NodeExplanation {
  readonly name: string;
  readonly fits: boolean;
  /** Every plugin that refuses it, not just the first. */
  readonly refusals: readonly {
    readonly plugin: string;
    readonly reasons: readonly string[];
    /** What would have to change. */
    readonly remedy: string;
  }[];
  /** Weighted sum of the scores, of nodes that fit. */
  readonly score?: number;
  readonly scores?: readonly { readonly plugin: string; readonly score: number }[];
}

/** Nodes that are told; those of a large cluster are not read by people. */
const NODES_MAX = 500;

/**
 * Explains a Pod by the newest snapshot: every node, every plugin.
 *
 * Pure. A Pod that has a node is taken off it in thought: so its own room and its own labels do not speak against it.
 * `classOf`: of the profile that it names; `undefined`: there is none. `schedulers`: the names that are served here.
 */
export function explainPod(
  pod: V1Pod,
  classOf: ((pod: V1Pod) => PodClass) | undefined,
  snapshot: Snapshot,
  schedulers: readonly string[],
): PodExplanation {
  const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
  const about = { namespace, name };
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed")
    return { ...about, state: "finished", summary: `It has ended (${phase}).`, nodes: [] };
  const gates = (pod.spec?.schedulingGates ?? []).map((gate) => gate.name);
  if (gates.length > 0) {
    const summary = `Nobody looks for a node until its scheduling gates are removed: ${gates.join(", ")}.`;
    return { ...about, state: "gated", summary, nodes: [] };
  }
  const node = pod.spec?.nodeName;
  if (!classOf) return { ...about, ...notOurs(pod, schedulers), ...(node && { node }), nodes: [] };
  const podClass = classOf(unplaced(pod));
  const closed = node === undefined && closedTo(podClass, snapshot);
  if (closed && closed.kind === "unschedulable")
    return { ...about, state: "pending", summary: `No node does: ${closed.message}`, nodes: [] };
  const cluster = node === undefined ? snapshot : withoutPod(snapshot, uid);
  const nodes = explainNodes(podClass, cluster);
  const fitting = nodes.filter(({ fits }) => fits);
  const told = nodes.slice(0, NODES_MAX);
  if (node === undefined) {
    const state = "pending";
    return { ...about, state, summary: pendingSummary(pod, fitting, nodes.length), nodes: told };
  }
  const summary = scheduledSummary(node, fitting);
  return { ...about, state: "scheduled", summary, node, nodes: told };
}

/** As it was before it had a node: that it names one now is no rule that it follows. */
function unplaced(pod: V1Pod): V1Pod {
  if (pod.spec?.nodeName === undefined) return pod;
  const { nodeName: _, ...spec } = pod.spec;
  return { ...pod, spec };
}

function notOurs(
  { spec }: V1Pod,
  schedulers: readonly string[],
): Pick<PodExplanation, "state" | "summary"> {
  const name = spec?.schedulerName ?? "";
  const known = schedulers.join(", ");
  return {
    state: "other-scheduler",
    summary: `It asks for the scheduler '${name}', which does not run in this server (${known} do).`,
  };
}

function pendingSummary(pod: V1Pod, fitting: readonly NodeExplanation[], all: number): string {
  if (all === 0) return "There are no nodes.";
  const condition = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (fitting.length > 0)
    return `It fits on ${fitting.length} of ${all} nodes and should be placed in a moment.`;
  const kept = pod.status?.nominatedNodeName;
  const waits = kept ? ` ${kept} is kept for it until the Pods there have gone.` : "";
  return `It fits on none of ${all} nodes.${waits}${condition?.message ? ` The scheduler said: ${condition.message}` : ""}`;
}

function scheduledSummary(node: string, fitting: readonly NodeExplanation[]): string {
  const own = fitting.findIndex(({ name }) => name === node);
  if (own < 0) return `It is on ${node}, which would not be chosen now.`;
  const [first] = fitting;
  const score = fitting[own]!.score ?? 0;
  if (fitting.length === 1) return `It is on ${node}, the only node that fits.`;
  const best = first!.score ?? 0;
  if (score === best) {
    const equals = fitting.filter((one) => one.score === best).length - 1;
    const highest = `It is on ${node}, which scores highest (${score})`;
    const others = `${equals} other${equals === 1 ? "" : "s"}`;
    return equals === 0
      ? `${highest} of ${fitting.length} nodes that fit.`
      : `${highest} with ${others} of ${fitting.length} that fit; among equals chance decides.`;
  }
  return `It is on ${node} (score ${score}); by what is known now, ${first!.name} would score higher (${best}): the cluster has changed since it was placed.`;
}

function explainNodes(podClass: PodClass, cluster: Nodes): readonly NodeExplanation[] {
  const look = new FreshLook(podClass, cluster);
  const candidates = new Set(look.nodes());
  const fitting = cluster.nodes.filter((node) => candidates.has(node) && !look.refusal(node));
  const parts = look.scores(fitting);
  const explained = cluster.nodes.map((node): NodeExplanation => {
    const index = fitting.indexOf(node);
    if (index < 0) return refusedNode(podClass, look, node, candidates.has(node));
    const scores = parts.map(({ plugin, scores: all }) => ({ plugin, score: all[index]! }));
    const score = scores.reduce((sum, part) => sum + part.score, 0);
    return { name: node.name, fits: true, refusals: [], score, scores };
  });
  return explained.sort(
    (a, b) =>
      Number(b.fits) - Number(a.fits) ||
      (b.score ?? 0) - (a.score ?? 0) ||
      (a.name < b.name ? -1 : 1),
  );
}

function refusedNode(
  podClass: PodClass,
  look: FreshLook,
  node: NodeInfo,
  isCandidate: boolean,
): NodeExplanation {
  const named = podClass.candidates?.plugins.join(" ") ?? "";
  const notNamed: Rejection = {
    reasons: [`node(s) didn't satisfy plugin(s) [${named}]`],
    isUnresolvable: true,
  };
  const own: readonly NodeRefusal[] = isCandidate
    ? []
    : [{ plugin: podClass.candidates!.plugins[0]!, rejection: notNamed }];
  const refusals = [...own, ...look.allRefusals(node)].map(({ plugin, rejection }) => {
    const input = podClass.readers.find((reader) => reader.plugin.name === plugin)?.input;
    const { reasons } = rejection;
    return { plugin, reasons, remedy: remedyFor(plugin, reasons, input, node) };
  });
  return { name: node.name, fits: false, refusals };
}

/** The cluster as it would be without the Pod. */
function withoutPod(snapshot: Snapshot, uid: string): Nodes {
  const nodes = snapshot.nodes.map((node) => {
    if (!node.pods.has(uid)) return node;
    const rest = node.clone();
    rest.removePod(uid);
    return rest;
  });
  return {
    nodes,
    domains: snapshot.domains,
    namespacesVersion: snapshot.namespacesVersion,
    nodesWithImage: (name) => snapshot.nodesWithImage(name),
    namespaceLabels: (name) => snapshot.namespaceLabels(name),
    claims: snapshot.claims,
    node: (name) => {
      const found = snapshot.node(name);
      return found && nodes[found.slot];
    },
  };
}
