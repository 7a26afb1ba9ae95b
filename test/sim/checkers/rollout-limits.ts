import type { V1Deployment, V1ReplicaSet } from "../../../src/gen/types.ts";

/** Between which numbers of Pods a Deployment rolls. */
export interface RolloutLimits {
  readonly replicas: number;
  /** With its surge. */
  readonly totalMax: number;
  /** Without those that may be unavailable; 0 where it does not roll. */
  readonly availableMin: number;
}

/** @spec k8s@1.36 pkg/controller/deployment/util ResolveFenceposts */
export function limitsOf({ spec }: V1Deployment): RolloutLimits {
  const replicas = spec?.replicas ?? 1;
  if (spec?.strategy?.type === "Recreate") return { replicas, totalMax: replicas, availableMin: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = spec?.strategy?.rollingUpdate ?? {};
  const surge = share(maxSurge, replicas, Math.ceil);
  const unavailable = share(maxUnavailable, replicas, Math.floor);
  const isStuck = surge === 0 && unavailable === 0;
  return {
    replicas,
    totalMax: replicas + surge,
    availableMin: Math.max(0, replicas - (isStuck ? 1 : unavailable)),
  };
}

/** A number, or a percentage of `of`. */
export function share(
  value: number | string,
  of: number,
  round: (exact: number) => number,
): number {
  return typeof value === "number" ? value : round((Number.parseInt(value, 10) * of) / 100);
}

/** The sets that a Deployment controls. */
export function setsOf(
  { metadata }: V1Deployment,
  sets: readonly V1ReplicaSet[],
): readonly V1ReplicaSet[] {
  return sets.filter((set) =>
    (set.metadata?.ownerReferences ?? []).some(
      ({ uid, controller }) => uid === metadata?.uid && controller,
    ),
  );
}
