import { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import { scaledValue } from "../../reconciler/int-or-percent.ts";
import type { PodTemplate } from "../../reconciler/pod-from-template.ts";

export const HASH_LABEL = "pod-template-hash";
export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";
export const ROLLBACK_TO = "deprecated.deployment.rollback.to";

/** Annotations that are the ReplicaSet's own, never copied from or to the Deployment. @spec annotationsToSkip */
const OWN_ANNOTATIONS = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
]);

/** Longest revision history in characters; older revisions go first. @spec maxRevHistoryLengthInChars */
const HISTORY_LENGTH_MAX = 2000;

type Annotations = Readonly<Record<string, string>>;

/** `spec.replicas` with its default. */
export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1;

/** The sum of what the sets are told to run. */
export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

/** Oldest first; by name where the times are equal. @spec ReplicaSetsByCreationTimestamp */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const ageOf = (set: ReplicaSet): string => set.metadata?.creationTimestamp ?? "";
  const nameOf = (set: ReplicaSet): string => set.metadata?.name ?? "";
  if (ageOf(a) !== ageOf(b)) return ageOf(a) < ageOf(b) ? -1 : 1;
  return nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0;
}

/** Lowest revision first; by age where a set carries none that can be read. @spec deploymentutil.ReplicaSetsByRevision */
export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [revisionOf(a), revisionOf(b)];
  if (left === undefined || right === undefined || left === right) return byAge(a, b);
  return left < right ? -1 : 1;
}

/** The same template, the hash label left out. @spec deploymentutil.EqualIgnoreHash */
export function isSameTemplate(a: PodTemplate | undefined, b: PodTemplate | undefined): boolean {
  return equalStored(withoutHash(a), withoutHash(b));
}

/** The template without the hash label. */
export function withoutHash<T extends PodTemplate>(template: T | undefined): T | undefined {
  const labels = template?.metadata?.labels;
  if (!template || !labels || !(HASH_LABEL in labels)) return template;
  const { [HASH_LABEL]: _hash, ...rest } = labels;
  return { ...template, metadata: { ...template.metadata, labels: rest } };
}

/** The oldest set of the Deployment's present template. @spec FindNewReplicaSet */
export function findNewSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = deployment.spec?.template;
  return [...sets].sort(byAge).find((set) => isSameTemplate(set.spec?.template, wanted));
}

/** The revision that a set carries; 0 when it has none. `undefined`: what it carries is no 64-bit integer. */
export function revisionOf(set: ReplicaSet): bigint | undefined {
  return parseRevision(set.metadata?.annotations?.[REVISION]);
}

function parseRevision(text: string | undefined): bigint | undefined {
  if (text === undefined) return 0n;
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const revision = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, revision) === revision ? revision : undefined;
}

/** The readable revisions, the highest first. */
export function revisionsOf(sets: readonly ReplicaSet[]): readonly bigint[] {
  return sets.flatMap((set) => revisionOf(set) ?? []).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
}

/** The revision after the highest readable one. */
export function nextRevision(sets: readonly ReplicaSet[]): bigint {
  const highest = revisionsOf(sets)[0] ?? 0n;
  return (highest > 0n ? highest : 0n) + 1n;
}

/** What the new set's annotations must be, given the highest revision of the old ones. @spec SetNewReplicaSetAnnotations */
export function annotationsOfNewSet(
  deployment: Deployment,
  current: Annotations | undefined,
  revision: bigint,
): Annotations {
  const copied = Object.entries(deployment.metadata?.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.has(key),
  );
  const merged: Record<string, string> = { ...current, ...Object.fromEntries(copied) };
  const oldText = current?.[REVISION];
  const old = parseRevision(oldText || undefined);
  if (old === undefined || old >= revision) return merged;
  merged[REVISION] = String(revision);
  // A set that had a revision before is one that is rolled back to: its history is kept.
  if (oldText !== undefined) {
    merged[REVISION_HISTORY] = history(current?.[REVISION_HISTORY] ?? "", oldText);
  }
  return merged;
}

function history(past: string, revision: string): string {
  let entries = past === "" ? [] : past.split(",");
  while (entries.length && [...entries, revision].join(",").length > HISTORY_LENGTH_MAX) {
    entries = entries.slice(1);
  }
  return [...entries, revision].join(",");
}

/** With the sizes that proportional scaling needs later. @spec SetReplicasAnnotations */
export function withSizeAnnotations(
  deployment: Deployment,
  annotations: Annotations | undefined,
): Annotations {
  const desired = replicasOf(deployment);
  return {
    ...annotations,
    [DESIRED_REPLICAS]: String(desired),
    [MAX_REPLICAS]: String(desired + maxSurge(deployment)),
  };
}

/** The Deployment's annotations after a rollback to `set`. @spec SetDeploymentAnnotationsTo */
export function annotationsAfterRollback(deployment: Deployment, set: ReplicaSet): Annotations {
  const own = Object.entries(deployment.metadata?.annotations ?? {}).filter(
    ([key]) => OWN_ANNOTATIONS.has(key) && key !== ROLLBACK_TO,
  );
  const taken = Object.entries(set.metadata?.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.has(key),
  );
  return Object.fromEntries([...own, ...taken]);
}

/** True for the default strategy, too. */
export function isRolling(deployment: Deployment): boolean {
  return (deployment.spec?.strategy?.type ?? "RollingUpdate") === "RollingUpdate";
}

/** Pods above `spec.replicas` that a rollout may run. */
export function maxSurge(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0;
}

/** Pods below `spec.replicas` that a rollout may miss. */
export function maxUnavailable(deployment: Deployment): number {
  if (!isRolling(deployment)) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicasOf(deployment));
}

/** Rounding may make both zero; then one may be missing, or nothing would ever move. @spec ResolveFenceposts */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const { maxSurge, maxUnavailable } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const replicas = replicasOf(deployment);
  const surge = scaledValue(maxSurge as number | string | undefined, replicas, "up");
  const unavailable = scaledValue(maxUnavailable as number | string | undefined, replicas, "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
