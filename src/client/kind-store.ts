import type { Kind } from "../api/machinery/kind.ts";
import { formatKey, keyOf, type KubeObject, type ObjectKey } from "../api/machinery/object.ts";
import type { V1Pod } from "../gen/types.ts";
import type { CacheChange, CacheFilter } from "./cache.ts";

/** The objects of one namespace, with their names in order. */
interface Shelf<T> {
  readonly objects: Map<string, T>;
  /** `undefined`: to be sorted again. */
  names: readonly string[] | undefined;
}

/**
 * All known objects of one kind, indexed by namespace and by controller.
 *
 * @shape lists come in order of namespace, then name, without sorting unless names came or went.
 */
export class KindStore<T extends KubeObject> {
  readonly #kind: Kind<T>;
  readonly #shelves = new Map<string, Shelf<T>>();
  readonly #byController = new Map<string, Map<string, T>>();

  constructor(kind: Kind<T>) {
    this.#kind = kind;
  }

  get({ namespace, name }: ObjectKey): T | undefined {
    return this.#shelves.get(namespace)?.objects.get(name);
  }

  count(namespace: string): number {
    return this.#shelves.get(namespace)?.objects.size ?? 0;
  }

  list(filter: CacheFilter<T> = {}): readonly T[] {
    const { after, limit } = filter;
    const found = this.#matching(filter);
    if (after === undefined && limit === undefined) return found;
    const from = found.findIndex(({ metadata }) => (metadata?.name ?? "") > (after ?? ""));
    return from < 0 ? [] : found.slice(from, limit === undefined ? undefined : from + limit);
  }

  #matching({ namespace, controllerUid, nodeName, where }: CacheFilter<T>): readonly T[] {
    const found =
      controllerUid === undefined ? this.#inOrder(namespace) : this.#controlled(controllerUid);
    const isMatch = (object: T): boolean =>
      (namespace === undefined || (object.metadata?.namespace ?? "") === namespace) &&
      (nodeName === undefined || (object as V1Pod).spec?.nodeName === nodeName) &&
      (where === undefined || where(object));
    const isAll = controllerUid === undefined && nodeName === undefined && where === undefined;
    return isAll ? found : found.filter(isMatch);
  }

  /** @returns what changed; `undefined`: nothing. */
  put(object: T): CacheChange<T> | undefined {
    const key = keyOf(object);
    const shelf = this.#shelves.get(key.namespace) ?? { objects: new Map<string, T>(), names: [] };
    this.#shelves.set(key.namespace, shelf);
    const old = shelf.objects.get(key.name);
    if (old && old.metadata?.resourceVersion === object.metadata?.resourceVersion) return undefined;
    if (!old) shelf.names = undefined;
    shelf.objects.set(key.name, object);
    this.#unindex(old, key);
    this.#index(object, key);
    return { kind: this.#kind, key, old, object };
  }

  remove(key: ObjectKey): CacheChange<T> | undefined {
    const shelf = this.#shelves.get(key.namespace);
    const old = shelf?.objects.get(key.name);
    if (!shelf || !old) return undefined;
    shelf.objects.delete(key.name);
    shelf.names = undefined;
    if (shelf.objects.size === 0) this.#shelves.delete(key.namespace);
    this.#unindex(old, key);
    return { kind: this.#kind, key, old, object: undefined };
  }

  #inOrder(namespace: string | undefined): readonly T[] {
    const namespaces = namespace === undefined ? [...this.#shelves.keys()].sort() : [namespace];
    return namespaces.flatMap((name) => {
      const shelf = this.#shelves.get(name);
      if (!shelf) return [];
      shelf.names ??= [...shelf.objects.keys()].sort();
      return shelf.names.map((key) => shelf.objects.get(key)!);
    });
  }

  #controlled(uid: string): readonly T[] {
    const objects = this.#byController.get(uid);
    if (!objects) return [];
    return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  #index(object: T, key: ObjectKey): void {
    const uid = controllerUidOf(object);
    const objects = this.#byController.get(uid) ?? new Map<string, T>();
    this.#byController.set(uid, objects.set(formatKey(key), object));
  }

  #unindex(old: T | undefined, key: ObjectKey): void {
    if (!old) return;
    const uid = controllerUidOf(old);
    const objects = this.#byController.get(uid);
    objects?.delete(formatKey(key));
    if (objects?.size === 0) this.#byController.delete(uid);
  }
}

function controllerUidOf(object: KubeObject): string {
  return object.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid ?? "";
}
