import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import { findCondition, withCondition, removeCondition } from "../../api/machinery/conditions.ts";
import { maxUnavailable, replicasOf, totalReplicas } from "./replica-sets.ts";
import { allSets, type Rollout } from "./rollout.ts";

export type Status = NonNullable<Deployment["status"]>;
export type Conditions = NonNullable<Status["conditions"]>;
type Condition = Conditions[number];

/** A condition as of `now`. */
export function withProgressing(
  conditions: Conditions | undefined,
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  now: Instant,
): Conditions {
  return set(conditions, { type: "Progressing", status, reason, message }, now);
}

function set(
  conditions: Conditions | undefined,
  condition: Omit<Condition, "lastUpdateTime" | "lastTransitionTime">,
  now: Instant,
): Conditions {
  return withCondition<Condition>(
    conditions,
    { ...condition, lastUpdateTime: formatTime(now) },
    now,
  );
}

/** True when lack of progress is watched at all. */
export function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== 2 ** 31 - 1;
}

/** Says that it is paused or was resumed, so that a pause does not count as lack of progress. @spec checkPausedConditions */
export function pauseConditions(deployment: Deployment, now: Instant): Conditions {
  const old = deployment.status?.conditions ?? [];
  const reason = findCondition(old, "Progressing")?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return old;
  const isPaused = deployment.spec?.paused ?? false;
  const isKnown = reason === "DeploymentPaused";
  if (isPaused && !isKnown) {
    return withProgressing(old, "Unknown", "DeploymentPaused", "Deployment is paused", now);
  }
  if (!isPaused && isKnown) {
    return withProgressing(old, "Unknown", "DeploymentResumed", "Deployment is resumed", now);
  }
  return old;
}

/** Counts and availability. @spec sync.go calculateStatus */
export function countedStatus(rollout: Rollout, conditions: Conditions, now: Instant): Status {
  const { deployment, newSet } = rollout;
  const sets = allSets(rollout);
  const sum = (count: (status: NonNullable<ReplicaSet["status"]>) => number | undefined): number =>
    sets.reduce((total, { status }) => total + ((status && count(status)) ?? 0), 0);
  const replicas = sum((status) => status.replicas);
  const ready = sum((status) => status.readyReplicas);
  const available = sum((status) => status.availableReplicas);
  const unavailable = Math.max(0, totalReplicas(sets) - available);
  const updated = newSet?.status?.replicas ?? 0;
  const { collisionCount } = deployment.status ?? {};
  const isAvailable = available >= replicasOf(deployment) - maxUnavailable(deployment);
  return {
    ...(deployment.metadata?.generation && { observedGeneration: deployment.metadata.generation }),
    ...(replicas && { replicas }),
    ...(updated && { updatedReplicas: updated }),
    ...(ready && { readyReplicas: ready }),
    ...(available && { availableReplicas: available }),
    ...(unavailable && { unavailableReplicas: unavailable }),
    terminatingReplicas: sum((status) => status.terminatingReplicas),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: set(conditions, isAvailable ? AVAILABLE : UNAVAILABLE, now),
  };
}

const AVAILABLE = {
  type: "Available",
  status: "True",
  reason: "MinimumReplicasAvailable",
  message: "Deployment has minimum availability.",
};
const UNAVAILABLE = {
  type: "Available",
  status: "False",
  reason: "MinimumReplicasUnavailable",
  message: "Deployment does not have minimum availability.",
};

/** {@link countedStatus}, with progress judged. @spec progress.go syncRolloutStatus */
export function rolloutStatus(rollout: Rollout, conditions: Conditions, now: Instant): Status {
  const counted = countedStatus(rollout, conditions, now);
  const progressed = progressConditions(rollout, counted, conditions, now);
  const failure = replicaFailure(rollout);
  const settled = failure
    ? withCondition<Condition>(progressed, failure, parseTime(failure.lastTransitionTime ?? ""))
    : removeCondition(progressed, "ReplicaFailure");
  return { ...counted, conditions: settled };
}

function progressConditions(
  { deployment, newSet }: Rollout,
  status: Status,
  old: Conditions,
  now: Instant,
): Conditions {
  const conditions = status.conditions ?? [];
  if (!hasDeadline(deployment)) return removeCondition(conditions, "Progressing");
  const current = findCondition(old, "Progressing");
  const isDone =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) &&
    current?.reason === "NewReplicaSetAvailable";
  if (isDone) return conditions;
  const subject = newSet
    ? `ReplicaSet "${newSet.metadata?.name}"`
    : `Deployment "${deployment.metadata?.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withProgressing(conditions, "True", "NewReplicaSetAvailable", message, now);
  }
  if (hasProgressed(deployment, status)) {
    // The same reason again still moves lastUpdateTime: that is what the deadline counts from.
    const rest = removeCondition(conditions, "Progressing");
    const at = formatTime(now);
    const since = current?.status === "True" ? (current.lastTransitionTime ?? at) : at;
    const fresh = {
      type: "Progressing",
      status: "True",
      reason: "ReplicaSetUpdated",
      message: `${subject} is progressing.`,
      lastUpdateTime: at,
      lastTransitionTime: since,
    };
    return [...rest, fresh];
  }
  if (isTimedOut(deployment, current, now)) {
    const message = `${subject} has timed out progressing.`;
    return withProgressing(conditions, "False", "ProgressDeadlineExceeded", message, now);
  }
  return conditions;
}

/** Everything wanted is updated and available, and nothing else is there. @spec DeploymentComplete */
export function isComplete(deployment: Deployment, status: Status | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

/** @spec DeploymentProgressing */
function hasProgressed({ status: before }: Deployment, after: Status): boolean {
  const updated = (status: Status | undefined): number => status?.updatedReplicas ?? 0;
  const old = (status: Status | undefined): number => (status?.replicas ?? 0) - updated(status);
  return (
    updated(after) > updated(before) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

/** @spec DeploymentTimedOut */
function isTimedOut(deployment: Deployment, current: Condition | undefined, now: Instant): boolean {
  if (!current || current.reason === "NewReplicaSetAvailable") return false;
  if (current.reason === "ProgressDeadlineExceeded") return true;
  return deadlineOf(deployment, current) < now;
}

function deadlineOf(deployment: Deployment, { lastUpdateTime = "" }: Condition): Instant {
  return parseTime(lastUpdateTime) + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000;
}

/** When the deadline must be looked at again; a second later, because the condition's time has whole seconds. */
export function progressCheckAt(
  deployment: Deployment,
  status: Status,
  now: Instant,
): Instant | undefined {
  const current = findCondition(status.conditions, "Progressing");
  const isOver =
    current?.reason === "ProgressDeadlineExceeded" || current?.reason === "NewReplicaSetAvailable";
  if (!hasDeadline(deployment) || !current || isOver || isComplete(deployment, status)) {
    return undefined;
  }
  return Math.max(deadlineOf(deployment, current), now) + 1000;
}

/** The new set's failure counts before the old ones'. @spec getReplicaFailures */
function replicaFailure(rollout: Rollout): Condition | undefined {
  const sets = rollout.newSet ? [rollout.newSet, ...rollout.oldSets] : rollout.oldSets;
  const failures = sets.map(({ status }) => findCondition(status?.conditions, "ReplicaFailure"));
  const failure = failures.find((condition) => condition !== undefined);
  if (!failure) return undefined;
  const { type, status, reason, message, lastTransitionTime } = failure;
  const at = lastTransitionTime && { lastUpdateTime: lastTransitionTime, lastTransitionTime };
  return { type, status, ...(reason && { reason }), ...(message && { message }), ...at };
}
