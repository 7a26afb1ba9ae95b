import { Pod } from "../../api/core/pod.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import { withAllowedCondition, withFailedSync } from "../../api/policy/budget.ts";
import type { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import { parseTime, type Instant } from "../../base/clock.ts";
import type { V1LabelSelector, V1PodDisruptionBudgetStatus } from "../../gen/types.ts";
import type { Plan, PlannedEvent } from "../../reconciler/controller.ts";
import { scaledValue } from "../../reconciler/int-or-percent.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodReady } from "../../reconciler/pod-state.ts";
import type { Owner } from "./owners.ts";

/**
 * How long an evicted Pod counts as gone before it is. @spec disruption.go DeletionTimeout. Doubling doubles how long a lost
 * eviction costs its budget a disruption.
 */
export const DELETION_MS_MAX = 120_000;

/** `pods`: those that the budget selects, with their owners. */
export interface Observed {
  readonly budget: PodDisruptionBudget;
  readonly pods: readonly { readonly pod: Pod; readonly owner: Owner }[];
}

/** How many Pods there should be, and how many of them healthy. */
interface Demand {
  readonly expected: number;
  readonly desired: number;
  /** Whether Pods without an owner make the numbers wrong. */
  readonly hasUnmanaged: boolean;
}

const NO_STATUS: V1PodDisruptionBudgetStatus = {
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
};

/**
 * What a budget's status is to say.
 *
 * 1. How many Pods are wanted, or why nobody can tell. 2. Which evicted Pods are still to go. 3. How many are healthy besides
 * those. 4. What may be disrupted: what is healthy beyond the wish.
 * @invariant never more disruptions than healthy Pods beyond those desired.
 * @spec k8s@1.36 pkg/controller/disruption/disruption.go trySync
 */
export function plan({ budget, pods }: Observed, now: Instant): Plan {
  const old = budget.status ?? NO_STATUS;
  const none = pods.length === 0 ? [NO_PODS] : [];
  const demand = demandOf(budget, pods);
  if (typeof demand === "string") {
    const status = withFailedSync(old, demand, now);
    return { status, events: ifNews(old, status, [...none, uncountable(demand)]) };
  }
  const going = goingPods(old.disruptedPods, pods, now);
  const healthy = pods.filter(({ pod }) => isHealthy(pod) && !(nameOf(pod) in going.times)).length;
  const status = withAllowedCondition(
    {
      ...(budget.metadata?.generation !== undefined && {
        observedGeneration: budget.metadata.generation,
      }),
      ...(Object.keys(going.times).length > 0 && { disruptedPods: going.times }),
      disruptionsAllowed: demand.expected <= 0 ? 0 : Math.max(0, healthy - demand.desired),
      currentHealthy: healthy,
      desiredHealthy: demand.desired,
      expectedPods: demand.expected,
      ...(old.conditions && { conditions: old.conditions }),
    },
    now,
  );
  const unmanaged = demand.hasUnmanaged ? [unmanagedPods(budget.spec?.selector)] : [];
  return {
    status,
    events: [
      ...ifNews(old, status, [...none, ...unmanaged]),
      ...going.late.map((pod) => notDeleted(budget, pod)),
    ],
    ...(going.nextAt !== undefined && { wakeAt: going.nextAt }),
  };
}

/** @returns why it cannot be told. @spec getExpectedPodCount, getExpectedScale */
function demandOf({ spec = {} }: PodDisruptionBudget, pods: Observed["pods"]): Demand | string {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable === undefined && typeof minAvailable !== "string") {
    const isAsked = minAvailable !== undefined;
    const expected = isAsked ? pods.length : 0;
    return { expected, desired: minAvailable ?? 0, hasUnmanaged: false };
  }
  const scales = new Map<string, number>();
  for (const { owner } of pods) {
    if (owner.kind === "uncounted") return owner.why;
    if (owner.kind === "scaled") scales.set(owner.uid, owner.replicas);
  }
  const expected = [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
  const desired =
    maxUnavailable === undefined
      ? scaledValue(minAvailable, expected, "up")
      : Math.max(0, expected - scaledValue(maxUnavailable, expected, "up"));
  return { expected, desired, hasUnmanaged: pods.some(({ owner }) => owner.kind === "none") };
}

interface Going {
  /** `status.disruptedPods` as far as it still holds. */
  readonly times: Readonly<Record<string, string>>;
  /** Those that should be gone by now. */
  readonly late: readonly Pod[];
  /** When the next of them is late. */
  readonly nextAt: Instant | undefined;
}

/** @spec buildDisruptedPodMap */
function goingPods(
  disrupted: V1PodDisruptionBudgetStatus["disruptedPods"],
  pods: Observed["pods"],
  now: Instant,
): Going {
  const times: Record<string, string> = {};
  const late: Pod[] = [];
  let nextAt: Instant | undefined;
  for (const { pod } of pods) {
    const name = nameOf(pod);
    const since = disrupted && Object.hasOwn(disrupted, name) ? disrupted[name] : undefined;
    if (since === undefined || isBeingDeleted(pod)) continue;
    const at = parseTime(since) + DELETION_MS_MAX;
    if (at > now) {
      times[name] = since;
      nextAt = Math.min(nextAt ?? at, at);
    } else late.push(pod);
  }
  return { times, late, nextAt };
}

function isHealthy(pod: Pod): boolean {
  return !isBeingDeleted(pod) && isPodReady(pod);
}

function nameOf(pod: Pod): string {
  return pod.metadata?.name ?? "";
}

/** What is told once for each change of the status, not at each look. */
function ifNews(
  old: object,
  status: object,
  events: readonly PlannedEvent[],
): readonly PlannedEvent[] {
  return equalStored(old, status) ? [] : events;
}

const NO_PODS: PlannedEvent = {
  type: "Normal",
  reason: "NoPods",
  message: "No matching pods found",
};

function uncountable(why: string): PlannedEvent {
  const message = `Failed to calculate the number of expected pods: ${why}`;
  return { type: "Warning", reason: "CalculateExpectedPodCountFailed", message };
}

function unmanagedPods(selector: V1LabelSelector | undefined): PlannedEvent {
  const message =
    `Pods selected by this PodDisruptionBudget (selector: ${selectorText(selector)}) were found to be unmanaged. ` +
    "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
  return { type: "Warning", reason: "UnmanagedPods", message };
}

/** As Go prints the selector's struct. */
function selectorText({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector = {}): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return (
    `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`
  );
}

function notDeleted({ metadata }: PodDisruptionBudget, pod: Pod): PlannedEvent {
  const budget = `${metadata?.namespace}/${metadata?.name}`;
  const message = `Pod was expected by PDB ${budget} to be deleted but it wasn't`;
  const regarding = { ...pod, apiVersion: "v1", kind: Pod.kind };
  return { type: "Warning", reason: "NotDeleted", message, regarding };
}
