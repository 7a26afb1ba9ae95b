import type { Random } from "../base/random.ts";
import type { V1Pod } from "../gen/types.ts";
import {
  closedTo,
  keptForOthers,
  NO_NODES,
  unschedulable,
  type Decision,
  type Snapshot,
} from "./cycle.ts";
import type { Extender } from "./extender.ts";
import { FreshLook } from "./look.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodClass } from "./pod-class.ts";
import { leastLoss, preemptionCandidates, type Preemption } from "./preemption.ts";
import type { PreemptionSettings } from "./profile.ts";

/** What an extended decision stands on. */
export interface ExtendedCycle {
  /** Those that have a say in the Pod. */
  readonly extenders: readonly Extender[];
  readonly snapshot: Snapshot;
  readonly random: Random;
  readonly preemption: PreemptionSettings | null;
  /** An extender that may be ignored did not answer. */
  readonly onIgnored: (extender: Extender, error: unknown) => void;
}

/**
 * Decides for a Pod in which extenders have a say: they strike nodes, add to scores and agree to victims.
 *
 * The only decision that waits, so nothing of it is remembered, and the caller makes one at a time.
 * @throws {Error} an extender that may not be ignored did not answer as it should when nodes were struck.
 * @spec k8s@1.36 schedule_one.go findNodesThatPassExtenders, prioritizeNodes; preemption.go callExtenders
 */
export async function decideWithExtenders(
  pod: V1Pod,
  podClass: PodClass,
  cycle: ExtendedCycle,
): Promise<Decision> {
  const { snapshot, random } = cycle;
  if (snapshot.nodes.length === 0) return NO_NODES;
  const closed = closedTo(podClass, snapshot);
  if (closed) return closed;
  const look = new FreshLook(podClass, snapshot);
  look.exclude(keptForOthers(look, pod, snapshot));
  let left = look.nodes().filter((node) => !look.refusal(node));
  for (const extender of asking(cycle, "filterVerb")) {
    if (left.length === 0) break;
    const answer = await tolerant(cycle, extender, () => extender.filter(pod, left));
    if (!answer) continue;
    left = [...answer.left];
    const plugin = extender.settings.urlPrefix;
    look.exclude(
      new Map([...answer.refused].map(([node, rejection]) => [node, { plugin, rejection }])),
    );
  }
  if (left.length === 0) {
    const preemption = await preemptionOf(look, pod, cycle);
    return unschedulable(look, podClass, snapshot, preemption);
  }
  const node = await bestOf(look, pod, left, cycle);
  return { kind: "bind", node: node ?? left[random.integer(left.length)]!, feasible: left.length };
}

async function bestOf(
  look: FreshLook,
  pod: V1Pod,
  nodes: readonly NodeInfo[],
  cycle: ExtendedCycle,
): Promise<NodeInfo | undefined> {
  const totals = [...look.totals(nodes)];
  const extenders = asking(cycle, "prioritizeVerb");
  // An extender that cannot say which node is best stops nothing, ignorable or not.
  const told = await Promise.all(
    extenders.map((extender) =>
      extender.prioritize(pod, nodes).catch((error: unknown) => {
        cycle.onIgnored(extender, error);
        return new Map<string, number>();
      }),
    ),
  );
  for (const scores of told)
    nodes.forEach(({ name }, index) => (totals[index]! += scores.get(name) ?? 0));
  const highest = Math.max(...totals);
  const winners = nodes.filter((_, index) => totals[index] === highest);
  return winners[cycle.random.integer(winners.length)];
}

async function preemptionOf(
  look: FreshLook,
  pod: V1Pod,
  cycle: ExtendedCycle,
): Promise<Preemption | undefined> {
  const { snapshot, random, preemption } = cycle;
  if (!preemption) return undefined;
  const found = preemptionCandidates(look, pod, snapshot, random, preemption);
  if (found.kind === "none") return found;
  let { candidates } = found;
  try {
    for (const extender of asking(cycle, "preemptVerb")) {
      const answer = await tolerant(cycle, extender, () => extender.preempt(pod, candidates));
      candidates = answer ?? candidates;
      if (candidates.length === 0) break;
    }
  } catch (error) {
    // That nothing fits is known all the same.
    return { kind: "none", why: (error as Error).message, losesNomination: false };
  }
  const best = leastLoss(candidates);
  if (!best)
    return { kind: "none", why: "no candidate node for preemption", losesNomination: false };
  return { kind: "preempt", node: best.node, victims: best.victims };
}

function asking(
  { extenders }: ExtendedCycle,
  verb: "filterVerb" | "prioritizeVerb" | "preemptVerb",
): readonly Extender[] {
  return extenders.filter(({ settings }) => settings[verb] !== "");
}

/** `undefined`: it did not answer, and may be ignored. */
async function tolerant<T>(
  { onIgnored }: ExtendedCycle,
  extender: Extender,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!extender.settings.isIgnorable)
      throw new Error(`extender ${extender.settings.urlPrefix}: ${String(error)}`);
    onIgnored(extender, error);
    return undefined;
  }
}
