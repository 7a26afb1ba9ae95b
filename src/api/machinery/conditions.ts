import { formatTime } from "../../base/clock.ts";
import type { Instant } from "../../base/clock.ts";

/**
 * `status.conditions` of most kinds: at most one of each type.
 *
 * @spec k8s@1.36 apimachinery api/meta/conditions.go; Pod, Node and Deployment conditions follow the same rule
 */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

export type ConditionStatus = "True" | "False" | "Unknown";

/** What generated kinds have: `status` is any text there. */
type AnyCondition = { readonly type: string; readonly status: string };

/** The condition of a type, if there is one. */
export function findCondition<T extends { readonly type: string }>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition exists and is `True`. */
export function isConditionTrue(
  conditions: readonly AnyCondition[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/** True when the condition exists and is `False`; neither this nor `isConditionTrue` when absent or `Unknown`. */
export function isConditionFalse(
  conditions: readonly AnyCondition[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === "False";
}

/**
 * The list with `condition` in its place (or at the end); the same list when nothing changes.
 *
 * `lastTransitionTime` moves only when `status` does: reason and message may change without it. A time that the
 * caller gives is taken on a change. Fields of the old condition that the new one lacks are gone, its time excepted.
 */
export function setCondition<T extends AnyCondition & { readonly lastTransitionTime?: string }>(
  conditions: readonly T[] | undefined,
  condition: T,
  now: Instant,
): readonly T[] {
  const old = findCondition(conditions, condition.type);
  const isTransition = old?.status !== condition.status;
  const time = isTransition
    ? (condition.lastTransitionTime ?? formatTime(now))
    : old?.lastTransitionTime;
  const next: T = time === undefined ? condition : { ...condition, lastTransitionTime: time };
  if (old === undefined) return [...(conditions ?? []), next];
  if (equalFields(old, next)) return conditions!;
  return conditions!.map((entry) => (entry === old ? next : entry));
}

/**
 * The list with `condition` at the end in place of the one of its type. One with the same status and reason stays as it
 * is, message included: what controllers of workloads do, where {@link setCondition} is the rule for all others.
 *
 * @spec k8s@1.36 pkg/controller/deployment/util SetDeploymentCondition, replicaset SetCondition
 */
export function withCondition<T extends AnyCondition & Reasoned>(
  conditions: readonly T[] | undefined,
  condition: Omit<T, "lastTransitionTime">,
  now: Instant,
): readonly T[] {
  const wanted = condition as T;
  const old = findCondition(conditions, wanted.type);
  if (old && old.status === wanted.status && old.reason === wanted.reason) return conditions ?? [];
  const lastTransitionTime =
    old?.status === wanted.status && old.lastTransitionTime
      ? old.lastTransitionTime
      : formatTime(now);
  return [...removeCondition(conditions, wanted.type), { ...wanted, lastTransitionTime }];
}

interface Reasoned {
  readonly reason?: string;
  readonly lastTransitionTime?: string;
}

/** The list without the condition of a type; the same list when it has none. */
export function removeCondition<T extends { readonly type: string }>(
  conditions: readonly T[] | undefined,
  type: string,
): readonly T[] {
  if (findCondition(conditions, type) === undefined) return conditions ?? [];
  return conditions!.filter((condition) => condition.type !== type);
}

/** True when two conditions say the same, whenever they began to. */
export function equalConditions(a: AnyCondition, b: AnyCondition): boolean {
  return equalFields({ ...a, ...NO_TIMES }, { ...b, ...NO_TIMES });
}

/** Times that tell of writing, not of meaning. */
const NO_TIMES = {
  lastTransitionTime: undefined,
  lastUpdateTime: undefined,
  lastProbeTime: undefined,
  lastHeartbeatTime: undefined,
};

/** Conditions are flat: fields compare by identity, and an absent one equals `undefined`. */
function equalFields(a: object, b: object): boolean {
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => left[key] === right[key]);
}
