import { conflict } from "../../api/machinery/status-errors.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { preconditionProblem } from "../../api/machinery/write-options.ts";
import type { Strategy } from "../../api/machinery/resource.ts";
import { formatTime, parseTime, type Instant } from "../../base/clock.ts";

/** What a delete asks for. @spec apimachinery meta/v1 DeleteOptions */
export interface DeletionOptions {
  readonly graceSeconds?: number;
  readonly propagation?: "Orphan" | "Background" | "Foreground";
  /** Where nobody says anything else. See {@link askedIn}. */
  readonly isOrphaning?: boolean;
  readonly ifUid?: string;
  readonly ifResourceVersion?: string;
}

/** What a delete does to one object. */
export type Deletion =
  /** It is going already: nothing to do. */
  | { readonly kind: "pending" }
  /** It stays, marked, until its grace is over and its finalizers are gone. */
  | { readonly kind: "mark"; readonly object: KubeObject }
  | { readonly kind: "remove" };

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** Kinds whose dependents stay by default, from before there was a choice. @spec DefaultGarbageCollectionPolicy */
const ORPHANING = new Set(["/replicationcontrollers", "batch/jobs"]);
/** Kinds of which that is so where an older version of them is asked. @spec DefaultGarbageCollectionPolicy of each */
const ONCE_ORPHANING = new Set(["deployments", "replicasets", "daemonsets", "statefulsets"]);
/** Kinds that have no dependents. @spec DefaultGarbageCollectionPolicy: Unsupported */
const CHILDLESS = new Set(["/events", "events.k8s.io/events"]);

/**
 * Decides what deleting `object` does now.
 *
 * @spec k8s@1.36 registry/rest/delete.go BeforeDelete; registry/generic/registry/store.go Delete,
 * updateForGracefulDeletionAndFinalizers; pkg/registry/core/namespace/storage Delete
 */
export function planDeletion(
  kind: Kind,
  strategy: Strategy<KubeObject>,
  object: KubeObject,
  options: DeletionOptions,
  now: Instant,
): Deletion {
  const grace = planGrace(strategy, object, options, now);
  if (grace.kind === "pending") return grace;
  const finalizers = finalizersOf(kind, object, options);
  const marked = grace.kind === "mark" ? grace.object : object;
  const finalized = withFinalizers(marked, finalizers);
  if (isNamespace(kind)) return planNamespace(finalized, finalizers.length > 0, now);
  if (finalizers.length > 0)
    return { kind: "mark", object: grace.kind === "mark" ? finalized : markNow(finalized, now) };
  const isWaiting = grace.kind === "mark" && marked.metadata!.deletionGracePeriodSeconds! > 0;
  return isWaiting ? { kind: "mark", object: finalized } : { kind: "remove" };
}

/** What is asked of `kind` in the version of `face`. */
export function askedIn(face: Kind, kind: Kind, options: DeletionOptions): DeletionOptions {
  const isOlder = face.group !== kind.group || face.version !== kind.version;
  const isOrphaning = isOlder && kind.group === "apps" && ONCE_ORPHANING.has(kind.plural);
  return isOrphaning ? { ...options, isOrphaning } : options;
}

/** @throws {StatusError} Conflict: the object is another one, or has changed. */
export function checkPreconditions(
  kind: Kind,
  object: KubeObject,
  { ifUid, ifResourceVersion }: DeletionOptions,
): void {
  const wanted = {
    ...(ifUid !== undefined && { uid: ifUid }),
    ...(ifResourceVersion !== undefined && { resourceVersion: ifResourceVersion }),
  };
  const problem = preconditionProblem(wanted, object.metadata!);
  // Upstream names the kind here, not the resource.
  const named = { group: kind.group, plural: kind.kind };
  if (problem !== undefined) throw conflict(named, object.metadata!.name!, problem);
}

/** The grace period alone. "remove": the kind has none, or it is over. */
function planGrace(
  strategy: Strategy<KubeObject>,
  object: KubeObject,
  options: DeletionOptions,
  now: Instant,
): Deletion {
  if (!strategy.graceSeconds) return { kind: "remove" };
  const meta = object.metadata!;
  // A negative period means the shortest: one second. @spec ValidateDeleteOptions, CheckGracefulDelete
  const asked =
    options.graceSeconds !== undefined && options.graceSeconds < 0 ? 1 : options.graceSeconds;
  if (meta.deletionTimestamp !== undefined) {
    const left = meta.deletionGracePeriodSeconds;
    if (!left) return { kind: "remove" };
    if (asked === undefined || asked >= left) return { kind: "pending" };
    const at = parseTime(meta.deletionTimestamp) + (asked - left) * 1000;
    return { kind: "mark", object: markAt(object, at, asked) };
  }
  const seconds = strategy.graceSeconds(object, asked);
  if (seconds === undefined) return { kind: "remove" };
  return { kind: "mark", object: raised(markAt(object, now + seconds * 1000, seconds)) };
}

function planNamespace(object: KubeObject, hasFinalizers: boolean, now: Instant): Deletion {
  const namespace = object as KubeObject & { readonly status?: object };
  const isMarked = namespace.metadata!.deletionTimestamp !== undefined;
  if (isMarked && specFinalizers(object).length === 0 && !hasFinalizers) return { kind: "remove" };
  if (isMarked) return { kind: "mark", object };
  const status = { ...namespace.status, phase: "Terminating" };
  const terminating: KubeObject & { status: object } = { ...namespace, status };
  const metadata = { ...terminating.metadata, deletionTimestamp: formatTime(now) };
  return { kind: "mark", object: { ...terminating, metadata } as KubeObject };
}

/** Namespaces have finalizers of their own besides those of metadata. */
export function isNamespace(kind: Kind): boolean {
  return kind.group === "" && kind.plural === "namespaces";
}

/** `spec.finalizers` of a namespace. */
export function specFinalizers(object: KubeObject): readonly string[] {
  return (object as { spec?: { finalizers?: readonly string[] } }).spec?.finalizers ?? [];
}

/** @spec store.go deletionFinalizersForGarbageCollection */
function finalizersOf(kind: Kind, object: KubeObject, options: DeletionOptions): readonly string[] {
  const present = object.metadata!.finalizers ?? [];
  const mode = propagationOf(kind, present, options);
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (mode === "Orphan") return [...others, ORPHAN];
  return mode === "Foreground" ? [...others, FOREGROUND] : others;
}

function propagationOf(
  kind: Kind,
  present: readonly string[],
  { propagation, isOrphaning }: DeletionOptions,
): "Orphan" | "Background" | "Foreground" {
  const id = `${kind.group}/${kind.plural}`;
  if (CHILDLESS.has(id)) return "Background";
  if (propagation) return propagation;
  const own = present.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND);
  if (own) return own === ORPHAN ? "Orphan" : "Foreground";
  return isOrphaning || ORPHANING.has(id) ? "Orphan" : "Background";
}

/** What a client hears that leaves a Job's Pods behind without having said so. @spec k8s@1.36 registry/batch/job/storage deleteOptionWarnings */
export function deletionWarning(kind: Kind, { propagation }: DeletionOptions): string | undefined {
  if (propagation !== undefined || `${kind.group}/${kind.plural}` !== "batch/jobs")
    return undefined;
  return (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background " +
    "to remove them or set propagationPolicy=Orphan to suppress this warning"
  );
}

function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
  const present = object.metadata!.finalizers ?? [];
  const known = new Set(present);
  const isSame =
    present.length === finalizers.length && finalizers.every((name) => known.has(name));
  if (isSame) return object;
  const { finalizers: _, ...metadata } = object.metadata!;
  void _;
  return { ...object, metadata: finalizers.length ? { ...metadata, finalizers } : metadata };
}

/** Without grace, but held by finalizers. @spec store.go markAsDeleting */
function markNow(object: KubeObject, now: Instant): KubeObject {
  const isMarked = object.metadata!.deletionTimestamp !== undefined;
  const at = isMarked ? parseTime(object.metadata!.deletionTimestamp!) : now;
  return markAt(isMarked ? object : raised(object), at, 0);
}

function markAt(object: KubeObject, at: Instant, graceSeconds: number): KubeObject {
  const deletionTimestamp = formatTime(at);
  const metadata = {
    ...object.metadata,
    deletionTimestamp,
    deletionGracePeriodSeconds: graceSeconds,
  };
  return { ...object, metadata };
}

/** The first mark is a change of what is wanted. */
function raised(object: KubeObject): KubeObject {
  const { generation } = object.metadata!;
  if (!generation) return object;
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}
