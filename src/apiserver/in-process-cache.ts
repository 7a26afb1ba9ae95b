import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";
import type { Cache, CacheChange, CacheFilter } from "../client/cache.ts";
import type { ServerParts } from "./parts.ts";
import type { CacheEvent } from "./registry/event-ring.ts";
import { shown } from "./registry/face.ts";
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
        : controlledBy(part, controllerUid).filter(({ key }) => key >= from && key < to);
    const out: T[] = [];
    for (const version of versions) {
      const object = this.#object(kind, version);
      if (!where || where(object)) out.push(object);
    }
    return out;
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  /** Present objects are told first, as `old: undefined`, before this returns. */
  onChange(kind: Kind, listener: (change: CacheChange) => void): void {
    const part = this.#part(kind);
    const tell = (event: CacheEvent): void => {
      const object = event.version && this.#object(kind, event.version);
      const old = event.old && this.#object(kind, event.old);
      listener({ kind, key: keyOf(event.key), object, old });
    };
    for (const version of part.versions.slice("", KEYS_END, Infinity))
      tell({ key: version.key, revision: version.revision, version, old: undefined });
    part.listeners.add(tell);
    this.#stops.push(() => part.listeners.delete(tell));
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

type ControllerIndex = Map<string, Map<string, ObjectVersion>>;

/** Made for a resource when someone first asks by controller, and kept up to date from then on. */
const indexes = new WeakMap<ResourceCache, ControllerIndex>();

/** The versions whose controller has `uid`, in key order. */
function controlledBy(part: ResourceCache, uid: string): readonly ObjectVersion[] {
  let index = indexes.get(part);
  if (!index) indexes.set(part, (index = startIndex(part)));
  const found = [...(index.get(uid)?.values() ?? [])];
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function startIndex(part: ResourceCache): ControllerIndex {
  const index: ControllerIndex = new Map();
  const remove = (version: ObjectVersion): void => {
    const uid = controllerOf(version);
    const own = index.get(uid);
    if (own?.delete(version.key) && own.size === 0) index.delete(uid);
  };
  const add = (version: ObjectVersion): void => {
    const uid = controllerOf(version);
    const own = index.get(uid);
    if (own) own.set(version.key, version);
    else index.set(uid, new Map([[version.key, version]]));
  };
  for (const version of part.versions.slice("", KEYS_END, Infinity)) add(version);
  // First in line, so that other listeners of the same event already see the new index.
  part.addFirst(({ old, version }) => {
    if (old) remove(old);
    if (version) add(version);
  });
  return index;
}

/** "": nobody controls it. */
function controllerOf({ meta }: ObjectVersion): string {
  return meta.ownerReferences?.find((owner) => owner.controller)?.uid ?? "";
}
