import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";
import type { Cache, CacheChange, CacheFilter } from "../client/cache.ts";
import type { ServerParts } from "./parts.ts";
import type { Clock } from "../base/clock.ts";
import type { CacheEvent } from "./registry/event-ring.ts";
import { shown } from "./registry/face.ts";
import { followResource } from "./registry/follow-resource.ts";
import { KEYS_END, localKey, namespaceRange } from "./registry/keys.ts";
import type { ObjectVersion } from "./registry/object-version.ts";
import type { ResourceCache } from "./registry/resource-cache.ts";

/**
 * The server's own objects as a `Cache`: no copies, no watch, no delay.
 *
 * All kinds stand at one revision at any moment. Listeners hear a change when it is applied; when `onRevision` is called, all
 * changes of that revision were told.
 */
export class InProcessCache implements Cache {
  readonly #parts: ServerParts;
  readonly #stops: (() => void)[] = [];
  readonly #telling = new Map<ResourceCache, Set<Promise<void>>>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get<T extends KubeObject>(kind: Kind<T>, { namespace, name }: ObjectKey): T | undefined {
    const version = this.#part(kind).get(localKey(kind.isNamespaced ? namespace : "", name));
    return version && this.#object(kind, version);
  }

  list<T extends KubeObject>(kind: Kind<T>, filter: CacheFilter<T> = {}): readonly T[] {
    const { namespace = "", controllerUid, where } = filter;
    const part = this.#part(kind);
    const [from, to] = namespaceRange(kind.isNamespaced ? namespace : "");
    const versions =
      controllerUid === undefined
        ? part.versions.slice(from, to, Infinity)
        : controlledBy(this.#parts.clock, part, controllerUid).filter(
            ({ key }) => key >= from && key < to,
          );
    const out: T[] = [];
    for (const version of versions) {
      const object = this.#object(kind, version);
      if (!where || where(object)) out.push(object);
    }
    return out;
  }

  /** Resolves when listeners of `kind` were told of all that was present. */
  async sync(kind: Kind): Promise<void> {
    await Promise.all(this.#telling.get(this.#part(kind)) ?? []);
  }

  /** Present objects are told first, as `old: undefined`: a slice of them before this returns, the rest until `sync` resolves. */
  onChange(kind: Kind, listener: (change: CacheChange) => void): void {
    const part = this.#part(kind);
    const { told, stop } = followResource(this.#parts.clock, part, (event) => {
      const object = event.version && this.#object(kind, event.version);
      const old = event.old && this.#object(kind, event.old);
      listener({ kind, key: keyOf(event.key), object, old });
    });
    this.#stops.push(stop);
    if (!told) return;
    const telling = this.#telling.get(part) ?? new Set();
    this.#telling.set(part, telling.add(told));
    this.#parts.cache.telling.add(told);
    void told.finally(() => {
      telling.delete(told);
      this.#parts.cache.telling.delete(told);
    });
  }

  revision(): number {
    return this.#parts.cache.revision;
  }

  onRevision(_kind: Kind, listener: (revision: number) => void): void {
    this.#stops.push(this.#parts.cache.onRevision(listener));
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #part(kind: Kind): ResourceCache {
    const served = this.#parts.resources.of(kind);
    return served?.cache ?? this.#parts.cache.resource(kind.group, kind.plural);
  }

  #object<T extends KubeObject>(kind: Kind<T>, version: ObjectVersion): T {
    const served = this.#parts.resources.of(kind);
    return (served ? shown(served, version).object : version.object) as T;
  }
}

function keyOf(key: string): ObjectKey {
  const slash = key.indexOf("/");
  return slash < 0
    ? { namespace: "", name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The objects of one resource by the uid of their controller. */
interface ControllerIndex {
  readonly byUid: Map<string, Map<string, ObjectVersion>>;
  /** All present objects are in it. */
  isWhole: boolean;
}

/** Made for a resource when someone first asks by controller, and kept up to date from then on. */
const indexes = new WeakMap<ResourceCache, ControllerIndex>();

/** The versions whose controller has `uid`, in key order. While the index is being made, all objects are looked at. */
function controlledBy(clock: Clock, part: ResourceCache, uid: string): readonly ObjectVersion[] {
  let index = indexes.get(part);
  if (!index) indexes.set(part, (index = startIndex(clock, part)));
  if (!index.isWhole) {
    const all = part.versions.slice("", KEYS_END, Infinity);
    return all.filter((version) => controllerOf(version) === uid);
  }
  const found = [...(index.byUid.get(uid)?.values() ?? [])];
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function startIndex(clock: Clock, part: ResourceCache): ControllerIndex {
  const byUid: ControllerIndex["byUid"] = new Map();
  const remove = (version: ObjectVersion): void => {
    const uid = controllerOf(version);
    const own = byUid.get(uid);
    if (own?.delete(version.key) && own.size === 0) byUid.delete(uid);
  };
  const add = (version: ObjectVersion): void => {
    const uid = controllerOf(version);
    const own = byUid.get(uid);
    if (own) own.set(version.key, version);
    else byUid.set(uid, new Map([[version.key, version]]));
  };
  const update = ({ old, version }: CacheEvent): void => {
    if (old) remove(old);
    if (version) add(version);
  };
  // First in line, so that other listeners of the same event already see the new index.
  const { told } = followResource(clock, part, update, (listener) => part.addFirst(listener));
  const index = { byUid, isWhole: told === undefined };
  void told?.then(() => (index.isWhole = true));
  return index;
}

/** "": nobody controls it. */
function controllerOf({ meta }: ObjectVersion): string {
  return meta.ownerReferences?.find((owner) => owner.controller)?.uid ?? "";
}
