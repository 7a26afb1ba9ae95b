import type { Random } from "../base/random.ts";
import { parseTime } from "../base/clock.ts";
import type { V1Pod } from "../gen/types.ts";
import { violatesBudgets } from "./budgets.ts";
import type { Snapshot } from "./cycle.ts";
import { fitMessage, type Refusal } from "./fit-message.ts";
import type { Rejection } from "./framework.ts";
import type { Look } from "./look.ts";
import type { NodeInfo, PlacedPod } from "./node-info.ts";
import { refusalWithNominated } from "./nominated.ts";
import { priorityOf } from "./priority.ts";
import type { PreemptionSettings } from "./profile.ts";

/** What can be done by evicting Pods of lower priority. */
export type Preemption =
  | { readonly kind: "preempt"; readonly node: NodeInfo; readonly victims: readonly V1Pod[] }
  | { readonly kind: "none"; readonly why: string; readonly losesNomination: boolean };

/** A node with the Pods that must go, the most important first. */
export interface Candidate {
  readonly node: NodeInfo;
  readonly victims: readonly V1Pod[];
  /** How many of them a budget would rather keep. */
  readonly violations: number;
}

const NO_VICTIMS: Rejection = {
  reasons: ["No preemption victims found for incoming pod"],
  isUnresolvable: true,
};
const NOT_HELPFUL: Rejection = {
  reasons: ["Preemption is not helpful for scheduling"],
  isUnresolvable: true,
};

/**
 * Where a Pod that fits nowhere would fit, if Pods of lower priority left.
 *
 * 1. A Pod whose earlier victims are still leaving waits for them.
 * 2. Of each node that evictions can help: all Pods of lower priority go, and come back one by one as long as the Pod fits,
 *    the most important first, those that a budget protects before the others.
 * 3. Of these nodes the one that loses least.
 * @spec k8s@1.36 plugins/defaultpreemption, framework/preemption
 */
export function planPreemption(
  look: Look,
  pod: V1Pod,
  snapshot: Snapshot,
  random: Random,
  settings: PreemptionSettings,
): Preemption {
  const found = preemptionCandidates(look, pod, snapshot, random, settings);
  if (found.kind === "none") return found;
  const { node, victims } = leastLoss(found.candidates)!;
  return { kind: "preempt", node, victims };
}

/** The first two steps of it: nodes to choose among, at least one. */
export function preemptionCandidates(
  look: Look,
  pod: V1Pod,
  snapshot: Snapshot,
  random: Random,
  settings: PreemptionSettings,
):
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  | Extract<Preemption, { kind: "none" }> {
  const why = whyNotEligible(look, pod, snapshot);
  if (why !== undefined) return { kind: "none", why, losesNomination: false };
  const potential = look
    .nodes()
    .filter((node) => look.refusal(node)?.rejection.isUnresolvable === false);
  const { candidates, refusals } = dryRun(look, pod, potential, snapshot, random, settings);
  if (candidates.length > 0) return { kind: "candidates", candidates };
  const others = snapshot.nodes.length - refusals.reduce((sum, { nodes }) => sum + nodes, 0);
  const all = [...refusals, { plugin: "", rejection: NOT_HELPFUL, nodes: others }];
  const message = fitMessage(
    snapshot.nodes.length,
    all.filter(({ nodes }) => nodes > 0),
  );
  return { kind: "none", why: message, losesNomination: true };
}

/** @spec DefaultPreemption.PodEligibleToPreemptOthers */
function whyNotEligible(look: Look, pod: V1Pod, snapshot: Snapshot): string | undefined {
  if (pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const name = snapshot.nominations.nodeOf(pod.metadata?.uid ?? "");
  const node = name === undefined ? undefined : snapshot.node(name);
  if (!node || look.refusal(node)?.rejection.isUnresolvable) return undefined;
  const isLeaving = [...node.pods.values()].some(
    (placed) => priorityOf(placed.pod) < priorityOf(pod) && isBeingPreempted(placed.pod),
  );
  return isLeaving ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

function isBeingPreempted({ metadata, status }: V1Pod): boolean {
  if (!metadata?.deletionTimestamp) return false;
  const target = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  return target?.status === "True" && target.reason === "PreemptionByScheduler";
}

interface DryRun {
  readonly candidates: readonly Candidate[];
  readonly refusals: readonly Refusal[];
}

/** Begins at a random node, so that one node is not always the victim, and ends when there are enough to compare. */
function dryRun(
  look: Look,
  pod: V1Pod,
  potential: readonly NodeInfo[],
  snapshot: Snapshot,
  random: Random,
  settings: PreemptionSettings,
): DryRun {
  if (potential.length === 0) return { candidates: [], refusals: [] };
  if (!snapshot.hasLower(priorityOf(pod))) {
    const none = { plugin: "", rejection: NO_VICTIMS, nodes: potential.length };
    return { candidates: [], refusals: [none] };
  }
  const part = Math.floor((potential.length * settings.minCandidateNodesPercentage) / 100);
  const enough = Math.max(settings.minCandidateNodesAbsolute, part);
  const first = random.integer(potential.length);
  const candidates: Candidate[] = [];
  const refusals: Refusal[] = [];
  for (let i = 0; i < potential.length; i++) {
    const node = potential[(first + i) % potential.length]!;
    const found = victimsOn(look, pod, node, snapshot);
    if ("victims" in found) candidates.push(found);
    else refusals.push({ plugin: "", rejection: found, nodes: 1 });
    const hasGood = candidates.some(({ violations }) => violations === 0);
    if (candidates.length >= enough && hasGood) break;
  }
  return { candidates, refusals };
}

/** The fewest Pods of a node that must go, or why their going does not help. @spec SelectVictimsOnNode */
export function victimsOn(
  look: Look,
  pod: V1Pod,
  node: NodeInfo,
  { nominations, budgets }: Pick<Snapshot, "nominations" | "budgets">,
): Candidate | Rejection {
  const lower = [...node.pods].filter(([, placed]) => priorityOf(placed.pod) < priorityOf(pod));
  if (lower.length === 0) return NO_VICTIMS;
  const rest = node.clone();
  const refusalNow = (): Rejection | undefined =>
    (refusalWithNominated(look, pod, rest, nominations) ?? look.refusalIf(rest))?.rejection;
  for (const [uid] of lower) rest.removePod(uid);
  const refusal = refusalNow();
  if (refusal) return refusal;
  const byImportance = lower.sort(([, a], [, b]) => importance(a.pod, b.pod));
  const isProtected = violatesBudgets(
    byImportance.map(([, placed]) => placed.pod),
    budgets,
  );
  const victims: PlacedPod[] = [];
  let violations = 0;
  for (const protection of [true, false])
    byImportance.forEach(([uid, placed], index) => {
      if (isProtected[index] !== protection) return;
      rest.addPod(uid, placed);
      if (!refusalNow()) return;
      rest.removePod(uid);
      victims.push(placed);
      if (protection) violations++;
    });
  if (victims.length === 0) return NO_VICTIMS;
  const pods = victims.map((placed) => placed.pod).sort(importance);
  return { node, victims: pods, violations };
}

/** The more important first: by priority, then who has run longer. @spec pkg/scheduler/util MoreImportantPod */
function importance(a: V1Pod, b: V1Pod): number {
  return priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b);
}

/** When it began; one that has not yet begins later than all. */
function startOf({ status }: V1Pod): number {
  return (status?.startTime && parseTime(status.startTime)) || Infinity;
}

/** Smaller is better, the first difference counts. @spec pickOneNodeForPreemption */
const LOSSES: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => Math.max(...victims.map(priorityOf), -Infinity),
  // Shifted, so that few of a negative priority lose less than many.
  ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0),
  ({ victims }) => victims.length,
  ({ victims }) => {
    const highest = Math.max(...victims.map(priorityOf), -Infinity);
    const first = victims.filter((victim) => priorityOf(victim) === highest).map(startOf);
    return -Math.min(...first);
  },
];

/** The candidate whose victims are missed least. */
export function leastLoss(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const loss of LOSSES) {
    if (left.length < 2) break;
    const losses = left.map(loss);
    const least = Math.min(...losses);
    left = left.filter((_, index) => losses[index] === least);
  }
  return left[0];
}
