import { formatTime, type Instant } from "../base/clock.ts";

/** What the conditions of all statuses have in common. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The condition of that type. */
export function findCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** All others. */
export function withoutCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/**
 * The conditions with `condition` in place of the one of its type; the time of the last transition moves only when the
 * status does. One with the same status and reason stays as it is, message included.
 *
 * @spec k8s@1.36 pkg/controller/deployment/util SetDeploymentCondition, replicaset SetCondition
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  condition: Omit<C, "lastTransitionTime">,
  now: Instant,
): readonly C[] {
  const old = findCondition(conditions, condition.type);
  if (old && old.status === condition.status && old.reason === condition.reason) {
    return conditions ?? [];
  }
  const lastTransitionTime =
    old?.status === condition.status && old.lastTransitionTime
      ? old.lastTransitionTime
      : formatTime(now);
  const fresh = { ...condition, lastTransitionTime } as C;
  return [...withoutCondition(conditions, condition.type), fresh];
}
