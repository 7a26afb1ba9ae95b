import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import {
  keyOf,
  type KubeObject,
  type ObjectKey,
  type OwnerReference,
} from "../api/machinery/object.ts";
import type { Trigger, PlannedWrite } from "./controller.ts";
import type { CacheReader } from "../client/cache.ts";

/** Tells whether labels are selected. An absent map is an empty one. */
export type LabelMatch = (labels: Readonly<Record<string, string>> | undefined) => boolean;

/** The reference that says who controls `object`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller);
}

/** True when `owner` controls `object`. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const uid = controllerOf(object)?.uid;
  return uid !== undefined && uid === owner.metadata?.uid;
}

/** A reference that makes `owner` the controller; its foreground deletion waits for the object. */
export function controllerReference(kind: Kind, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Somebody who controls objects by a selector. */
export interface Claimer {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly matches: LabelMatch;
  /** What adoption puts on an object and release takes off. */
  readonly finalizer?: string;
}

/** What `uid` controls, and what nobody controls, in one namespace: the candidates of {@link claim}. Reads the cache; no await. */
export function claimable<T extends KubeObject>(
  cache: CacheReader,
  kind: Kind<T>,
  namespace: string,
  uid: string,
): readonly T[] {
  const free = cache.list(kind, { namespace, controllerUid: "" });
  return [
    ...cache.list(kind, { namespace, controllerUid: uid }),
    ...free.filter((object) => !controllerOf(object)),
  ];
}

export interface Claim<T> {
  /** Controlled now, or by the first of `writes`. */
  readonly owned: readonly T[];
  readonly writes: readonly PlannedWrite[];
}

/**
 * Sorts `candidates` (of the claimer's namespace) into those it controls, adopting and releasing by its selector.
 *
 * 1. Controlled by somebody else: ignored. 2. Controlled and selected: owned. 3. Controlled, not selected: released,
 * unless the claimer is going. 4. Uncontrolled and selected: adopted, unless either is going.
 * @spec k8s@1.36 pkg/controller/controller_ref_manager.go ClaimObject
 */
export function claim<T extends KubeObject>(
  kind: Kind<T>,
  claimer: Claimer,
  candidates: readonly T[],
): Claim<T> {
  const owned: T[] = [];
  const writes: PlannedWrite[] = [];
  const isGoing = isBeingDeleted(claimer.object);
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    const isSelected = claimer.matches(candidate.metadata?.labels);
    if (controller) {
      if (controller.uid !== claimer.object.metadata?.uid) continue;
      if (isSelected) owned.push(candidate);
      else if (!isGoing) writes.push(release(kind, claimer, candidate));
    } else if (isSelected && !isGoing && !isBeingDeleted(candidate)) {
      owned.push(candidate);
      writes.push(adopt(kind, claimer, candidate));
    }
  }
  return { owned, writes };
}

function adopt(kind: Kind, claimer: Claimer, object: KubeObject): PlannedWrite {
  const ownerReferences = [controllerReference(claimer.kind, claimer.object)];
  const { finalizer } = claimer;
  return patchMetadata(kind, object, {
    ownerReferences,
    ...(finalizer !== undefined && { finalizers: [finalizer] }),
  });
}

function release(kind: Kind, claimer: Claimer, object: KubeObject): PlannedWrite {
  const ownerReferences = [{ $patch: "delete", uid: claimer.object.metadata?.uid }];
  const { finalizer } = claimer;
  return patchMetadata(kind, object, {
    ownerReferences,
    ...(finalizer !== undefined && { "$deleteFromPrimitiveList/finalizers": [finalizer] }),
  });
}

/** Strategic, so that references which others add meanwhile stay. */
function patchMetadata(kind: Kind, object: KubeObject, metadata: object): PlannedWrite {
  return {
    verb: "patch",
    kind,
    key: keyOf(object),
    type: "strategic",
    ifUid: object.metadata?.uid ?? "",
    patch: { metadata },
  };
}

/** True once deletion has begun. */
export function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/** A change of an object concerns the `owner` that controls it, before the change or after. */
export function ownersOf(kind: Kind, owner: Kind): Trigger {
  const group = owner.group === "" ? "" : `${owner.group}/`;
  const keyOfOwner = (
    reference: OwnerReference | undefined,
    { namespace }: ObjectKey,
    cache: CacheReader,
  ): ObjectKey | undefined => {
    if (reference?.kind !== owner.kind || !isGroup(reference.apiVersion, group)) return undefined;
    const key = { namespace: owner.isNamespaced ? namespace : "", name: reference.name };
    // Another owner of that name is no relation.
    return cache.get(owner, key)?.metadata?.uid === reference.uid ? key : undefined;
  };
  return {
    kind,
    keys({ old, object, key }, cache) {
      const before = old && controllerOf(old);
      const now = object && controllerOf(object);
      if (!before && !now) return NONE;
      const first = keyOfOwner(before, key, cache);
      const second = before === now ? undefined : keyOfOwner(now, key, cache);
      return [first, second].filter((one) => one !== undefined);
    },
  };
}

const NONE: readonly never[] = [];

function isGroup(apiVersion: string, group: string): boolean {
  return group === "" ? !apiVersion.includes("/") : apiVersion.startsWith(group);
}

/** An object that nobody controls, or that was set free, concerns every `owner` of its namespace whose selector matches. */
export function selectorsMatching<O extends KubeObject>(
  kind: Kind,
  owner: Kind<O>,
  matcherOf: (owner: O) => LabelMatch,
): Trigger {
  return {
    kind,
    keys({ object, key }, cache) {
      if (!object || controllerOf(object)) return NONE;
      const owners = cache.list(owner, { namespace: key.namespace });
      if (owners.length === 0) return NONE;
      return owners.filter((candidate) => matcherOf(candidate)(object.metadata?.labels)).map(keyOf);
    },
  };
}

/** A change concerns the primary object of the same name. */
export function sameKeyOf(kind: Kind): Trigger {
  return { kind, keys: ({ key }) => [key] };
}

/** `observe` reads this kind, but its changes alone ask for nothing. */
export function reads(kind: Kind): Trigger {
  return { kind, keys: () => NONE };
}

/** A change of `kind` concerns every object of `primary` in the same namespace (all of them, when `kind` has none). */
export function allOf(
  kind: Kind,
  primary: Kind,
  isRelevant: (change: Parameters<Trigger["keys"]>[0]) => boolean = () => true,
): Trigger {
  return {
    kind,
    keys(change, cache: CacheReader): readonly ObjectKey[] {
      if (!isRelevant(change)) return NONE;
      const filter = kind.isNamespaced ? { namespace: change.key.namespace } : undefined;
      return cache.list(primary, filter).map(keyOf);
    },
  };
}
