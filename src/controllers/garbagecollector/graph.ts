import { LargeMap } from "../../base/large-map.ts";
import { presentGroup } from "../../api/catalog.ts";
import { apiVersionOf, type Kind } from "../../api/machinery/kind.ts";
import type {
  KubeObject,
  ObjectKey,
  ObjectMeta,
  OwnerReference,
} from "../../api/machinery/object.ts";
import type { CacheChange } from "../../client/cache.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** One existing object, as far as ownership goes. */
export interface Item {
  readonly kind: Kind;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly isDeleting: boolean;
}

/** Waits for its blocking dependents before it goes. */
export function isDeletingDependents(item: Item): boolean {
  return item.isDeleting && item.finalizers.includes(FOREGROUND);
}

/** Lets its dependents go before it goes. */
export function isOrphaning(item: Item): boolean {
  return item.isDeleting && item.finalizers.includes(ORPHAN);
}

/** Uids of owners that are known to be gone. @spec garbagecollector.go: absentOwnerCache has 500. Doubling costs only memory. */
const GONE_MAX = 10_000;

/**
 * Who owns whom, over all kinds, folded from watch events.
 *
 * Edges to owners that were never seen are kept too: their objects may still come.
 * @spec k8s@1.36 pkg/controller/garbagecollector/graph_builder.go
 */
export class OwnerGraph {
  readonly #items = new LargeMap<Item>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();

  get(uid: string): Item | undefined {
    return this.#items.get(uid);
  }

  /** Objects that name `uid` as an owner. */
  dependentsOf(uid: string): readonly Item[] {
    const uids = this.#dependents.get(uid) ?? [];
    return [...uids].flatMap((dependent) => this.#items.get(dependent) ?? []);
  }

  /** True when the deletion of that object was seen: a uid never comes back. */
  isGone(uid: string): boolean {
    return this.#gone.has(uid);
  }

  /** Takes in one change. @returns uids that must be looked at. */
  fold({ kind, old, object }: CacheChange): readonly string[] {
    const oldUid = old?.metadata?.uid;
    const uid = object?.metadata?.uid;
    const removed = oldUid !== undefined && oldUid !== uid ? this.#remove(oldUid) : NONE;
    if (!object || uid === undefined) return removed;
    const put = this.#put(new SeenItem(kind, object.metadata!));
    return removed.length === 0 ? put : [...removed, ...put];
  }

  #put(item: Item): readonly string[] {
    const before = this.#items.get(item.uid);
    this.#items.set(item.uid, item);
    const relinked = this.#relink(item, before?.owners ?? NONE);
    const isNew = before === undefined;
    // Neither goes nor has an owner: nearly all that comes.
    if (!item.isDeleting && (!isNew || item.owners.length === 0)) return relinked;
    const touched = [...relinked];
    const isTurning = isNew || isDeletingDependents(before) !== isDeletingDependents(item);
    if (isDeletingDependents(item) && isTurning) {
      touched.push(item.uid, ...(this.#dependents.get(item.uid) ?? []));
    }
    if (isOrphaning(item)) touched.push(item.uid);
    if (isNew && this.#isQuestionable(item)) touched.push(item.uid);
    return touched;
  }

  /** An owner that is not here, or that waits, makes the object worth a look. */
  #isQuestionable(item: Item): boolean {
    return item.owners.some((reference) => {
      const owner = this.#items.get(reference.uid);
      return !owner || !isOwner(item, reference, owner) || isDeletingDependents(owner);
    });
  }

  /** Moves the edges of `item` from the owners it had; those it lost, or that no longer block, may go on. */
  #relink(item: Item, before: readonly OwnerReference[]): readonly string[] {
    if (before === item.owners) return NONE;
    const text = (references: readonly OwnerReference[]): string => JSON.stringify(references);
    if (text(before) === text(item.owners)) return NONE;
    for (const { uid } of before) this.#dependents.get(uid)?.delete(item.uid);
    for (const { uid } of item.owners) {
      const dependents = this.#dependents.get(uid) ?? new Set();
      this.#dependents.set(uid, dependents.add(item.uid));
    }
    return [item.uid, ...before.map(({ uid }) => uid).filter((uid) => this.#isWaiting(uid))];
  }

  #isWaiting(uid: string): boolean {
    const owner = this.#items.get(uid);
    return owner !== undefined && (isDeletingDependents(owner) || isOrphaning(owner));
  }

  #remove(uid: string): readonly string[] {
    const item = this.#items.get(uid);
    this.#items.delete(uid);
    this.#remember(uid);
    const owners = item?.owners ?? [];
    for (const owner of owners) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
    const waiting = owners.map((owner) => owner.uid).filter((owner) => this.#isWaiting(owner));
    return [...(this.#dependents.get(uid) ?? []), ...waiting];
  }

  #remember(uid: string): void {
    this.#gone.add(uid);
    if (this.#gone.size <= GONE_MAX) return;
    const [oldest] = this.#gone;
    this.#gone.delete(oldest!);
  }
}

/** One for all: what has no owners had none before, and that is seen without a look at them. */
const NONE: readonly never[] = [];

/** Holds what the cache holds anyway, and nothing of its own: there is one for every object of the cluster. */
class SeenItem implements Item {
  readonly kind: Kind;
  readonly #meta: ObjectMeta;

  constructor(kind: Kind, meta: ObjectMeta) {
    this.kind = kind;
    this.#meta = meta;
  }

  get key(): ObjectKey {
    return { namespace: this.#meta.namespace ?? "", name: this.#meta.name ?? "" };
  }
  get uid(): string {
    return this.#meta.uid ?? "";
  }
  get resourceVersion(): string {
    return this.#meta.resourceVersion ?? "";
  }
  get owners(): readonly OwnerReference[] {
    return this.#meta.ownerReferences ?? NONE;
  }
  get finalizers(): readonly string[] {
    return this.#meta.finalizers ?? NONE;
  }
  get isDeleting(): boolean {
    return this.#meta.deletionTimestamp !== undefined;
  }
}

/** True when `owner` is what `reference` names, and may own `item`: of the same namespace, or of none. */
export function isOwner(item: Item, reference: OwnerReference, owner: Item): boolean {
  return (
    reference.uid === owner.uid &&
    reference.name === owner.key.name &&
    reference.kind === owner.kind.kind &&
    ownerGroup(reference) === owner.kind.group &&
    (owner.key.namespace === "" || owner.key.namespace === item.key.namespace)
  );
}

/** The group that serves an owner's kind: `apps` of `apps/v1`, "" of `v1`, `apps` of an old `extensions/v1beta1` Deployment. */
export function ownerGroup({ apiVersion, kind }: OwnerReference): string {
  const slash = apiVersion.indexOf("/");
  return presentGroup(slash < 0 ? "" : apiVersion.slice(0, slash), kind);
}

/** The object, as events refer to it. */
export function objectOf({ kind, key, uid, resourceVersion }: Item): KubeObject {
  const { name, namespace } = key;
  const metadata = { name, ...(namespace && { namespace }), uid, resourceVersion };
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
}
