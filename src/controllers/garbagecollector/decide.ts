import type { OwnerReference } from "../../api/machinery/object.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import {
  FOREGROUND,
  isDeletingDependents,
  isOrphaning,
  objectOf,
  ORPHAN,
  type Item,
} from "./graph.ts";

/** Dependents that one step sets free. Bounds what the deletion of one owner puts on the server at once. */
const STEP_DEPENDENTS_MAX = 500;

/** What is known of one owner. `unknown`: the question is on its way, or its kind is not served; wait. */
export type OwnerState = "solid" | "waiting" | "gone" | "unknown" | "misplaced";

export interface Observed {
  readonly item: Item;
  readonly dependents: readonly Item[];
  /** For each of the item's references, in order. Asked for only when it matters. */
  readonly owners: () => readonly OwnerState[];
}

/**
 * What becomes of one object.
 *
 * 1. Being orphaned from: its dependents lose their reference to it, then it loses the finalizer.
 * 2. Being deleted in the foreground: it loses the finalizer when no dependent blocks it.
 * 3. Being deleted otherwise: wait. 4. Without owners: stay.
 * 5. With an owner that stays: stay, and lose the references to those that are gone or wait for it.
 * 6. Else it is deleted: in the foreground when an owner waits for it and it has dependents itself.
 * @spec k8s@1.36 pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem
 */
export function decide({ item, dependents, owners }: Observed): Plan {
  if (isOrphaning(item)) return setFree(item, dependents);
  if (isDeletingDependents(item)) return finishForeground(item, dependents);
  if (item.isDeleting || item.owners.length === 0) return {};
  const states = owners();
  const misplaced = item.owners.filter((_, index) => states[index] === "misplaced");
  if (misplaced.length) return { events: misplaced.map((reference) => complaint(item, reference)) };
  if (states.includes("unknown")) return {};
  if (states.includes("solid")) {
    const isKept = (_: OwnerReference, index: number): boolean => states[index] === "solid";
    const kept = item.owners.filter(isKept);
    return kept.length === item.owners.length ? {} : { writes: [withOwners(item, kept)] };
  }
  return { writes: collect(item, dependents, states.includes("waiting")) };
}

function setFree(item: Item, dependents: readonly Item[]): Plan {
  const bound = dependents.slice(0, STEP_DEPENDENTS_MAX).map((dependent) =>
    withOwners(
      dependent,
      dependent.owners.filter(({ uid }) => uid !== item.uid),
    ),
  );
  const isLast = bound.length === dependents.length;
  return { writes: isLast ? [...bound, withoutFinalizer(item, ORPHAN)] : bound };
}

function finishForeground(item: Item, dependents: readonly Item[]): Plan {
  const isBlocked = dependents.some((dependent) =>
    dependent.owners.some(({ uid, blockOwnerDeletion }) => uid === item.uid && blockOwnerDeletion),
  );
  return isBlocked ? {} : { writes: [withoutFinalizer(item, FOREGROUND)] };
}

function collect(item: Item, dependents: readonly Item[], isAwaited: boolean): PlannedWrite[] {
  if (!isAwaited || dependents.length === 0) {
    const propagation = item.finalizers.includes(ORPHAN)
      ? "Orphan"
      : item.finalizers.includes(FOREGROUND)
        ? "Foreground"
        : "Background";
    return [removal(item, propagation)];
  }
  // A dependent that waits for its own dependents may wait for this very object: then nobody may block anybody.
  const isCircle = dependents.some(isDeletingDependents);
  const isBlocking = item.owners.some(({ blockOwnerDeletion }) => blockOwnerDeletion);
  if (!isCircle || !isBlocking) return [removal(item, "Foreground")];
  const unblocked = item.owners.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
  // The deletion follows when the patch has come back.
  return [withOwners(item, unblocked)];
}

/** The version is a precondition: an object that was adopted meanwhile is judged again. */
function removal(
  { kind, key, uid, resourceVersion }: Item,
  propagation: "Orphan" | "Background" | "Foreground",
): Extract<PlannedWrite, { verb: "delete" }> {
  return {
    verb: "delete",
    kind,
    key,
    ifUid: uid,
    ifResourceVersion: resourceVersion,
    propagation,
  };
}

/** Merge patches with the version as precondition: the one form that works for every kind, custom ones too. */
function withOwners(item: Item, ownerReferences: readonly OwnerReference[]): PlannedWrite {
  return patch(item, { ownerReferences: ownerReferences.length ? ownerReferences : null });
}

function withoutFinalizer(item: Item, finalizer: string): PlannedWrite {
  const finalizers = item.finalizers.filter((other) => other !== finalizer);
  return patch(item, { finalizers: finalizers.length ? finalizers : null });
}

function patch({ kind, key, uid, resourceVersion }: Item, metadata: object): PlannedWrite {
  const body = { metadata: { ...metadata, resourceVersion } };
  return { verb: "patch", kind, key, patch: body, ifUid: uid };
}

/** @spec k8s@1.36 graph_builder.go reportInvalidNamespaceOwnerRef */
function complaint(item: Item, { apiVersion, kind, name, uid }: OwnerReference) {
  const where = item.key.namespace;
  const reference = `[${apiVersion}/${kind}, namespace: ${where}, name: ${name}, uid: ${uid}]`;
  return {
    type: "Warning",
    reason: "OwnerRefInvalidNamespace",
    message: `ownerRef ${reference} does not exist in namespace "${where}"`,
    regarding: objectOf(item),
  } as const;
}
