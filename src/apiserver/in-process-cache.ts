import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";
import type { V1Pod } from "../gen/types.ts";
import type { Cache, CacheChange, CacheFilter } from "../client/cache.ts";
import type { ServerParts } from "./parts.ts";
import type { Clock } from "../base/clock.ts";
import type { CacheEvent } from "./registry/event-ring.ts";
import { shown } from "./registry/face.ts";
import { followResource } from "./registry/follow-resource.ts";
import { localKey, namespaceRange } from "./registry/keys.ts";
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
  /** The event told last, as its listeners see it: a Pod's has some thirty of them. */
  #told: { readonly event: CacheEvent; readonly change: CacheChange } | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get<T extends KubeObject>(kind: Kind<T>, { namespace, name }: ObjectKey): T | undefined {
    const version = this.#part(kind).get(localKey(kind.isNamespaced ? namespace : "", name));
    return version && this.#object(kind, version);
  }

  list<T extends KubeObject>(kind: Kind<T>, filter: CacheFilter<T> = {}): readonly T[] {
    const { namespace = "", controllerUid, nodeName, where, limit = Infinity, after } = filter;
    const part = this.#part(kind);
    // Most kinds have no objects at all, and who asks for each change of another kind asks often.
    if (part.versions.size === 0) return NONE;
    const space = kind.isNamespaced ? namespace : "";
    const [begin, to] = namespaceRange(space);
    const from = after === undefined ? begin : `${localKey(space, after)}\u0000`;
    const versions =
      controllerUid !== undefined
        ? this.#indexed(part, CONTROLLER, controllerUid, from, to)
        : nodeName !== undefined
          ? this.#indexed(part, NODE, nodeName, from, to)
          : part.versions.slice(from, to, where ? Infinity : limit);
    const out: T[] = [];
    for (const version of versions) {
      if (out.length >= limit) break;
      const object = this.#object(kind, version);
      if (!where || where(object)) out.push(object);
    }
    return out;
  }

  count(kind: Kind, namespace: string): number {
    return this.#part(kind).versions.count(...namespaceRange(kind.isNamespaced ? namespace : ""));
  }

  /** Resolves when listeners of `kind` were told of all that was present. */
  async sync(kind: Kind): Promise<void> {
    await Promise.all(this.#telling.get(this.#part(kind)) ?? []);
  }

  /** Present objects are told first, as `old: undefined`: a slice of them before this returns, the rest until `sync` resolves. */
  onChange(kind: Kind, listener: (change: CacheChange) => void): void {
    const part = this.#part(kind);
    const { told, stop } = followResource(this.#parts.clock, part, (event) =>
      listener(this.#changeOf(kind, event)),
    );
    this.#stops.push(stop);
    if (!told) return;
    const telling = this.#telling.get(part) ?? new Set();
    this.#telling.set(part, telling.add(told));
    void told.finally(() => telling.delete(told));
    this.#await(told);
  }

  #changeOf(kind: Kind, event: CacheEvent): CacheChange {
    const last = this.#told;
    if (last?.event === event && last.change.kind === kind) return last.change;
    const object = event.version && this.#object(kind, event.version);
    const old = event.old && this.#object(kind, event.old);
    const change = { kind, key: keyOf(event.key), object, old };
    this.#told = { event, change };
    return change;
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

  /** In key order, what has `value` in `field`. While the index is being made, all objects are looked at. */
  #indexed(
    part: ResourceCache,
    field: IndexedField,
    value: string,
    from: string,
    to: string,
  ): readonly ObjectVersion[] {
    const index = indexOf(this.#parts.clock, part, field, (told) => this.#await(told));
    const may = index.isWhole
      ? [...(index.byValue.get(value)?.values() ?? [])]
          .filter(({ key }) => key >= from && key < to)
          .sort((a, b) => (a.key < b.key ? -1 : 1))
      : [...part.versions.slice(from, to, Infinity)].filter((version) =>
          field.valuesOf(version).includes(value),
        );
    return field.isOne ? may : may.filter((version) => field.valueOf(version) === value);
  }

  /** The server is not ready before it has told all that it began to tell. */
  #await(told: Promise<void>): void {
    const { telling } = this.#parts.cache;
    telling.add(told);
    void told.finally(() => telling.delete(told));
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

const NONE: readonly never[] = [];

function keyOf(key: string): ObjectKey {
  const slash = key.indexOf("/");
  return slash < 0
    ? { namespace: "", name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** What objects are found by, besides their keys. */
interface IndexedField {
  /** Under which values a version is kept: what it has, and perhaps others. The same whenever it is asked. */
  valuesOf(version: ObjectVersion): readonly string[];
  /** What it has. */
  valueOf(version: ObjectVersion): string;
  /** `valuesOf` says no more than `valueOf`. */
  readonly isOne: boolean;
}

/** "": nobody controls it. */
const UNCONTROLLED: readonly string[] = [""];

const controllerOf = ({ meta }: ObjectVersion): string =>
  meta.ownerReferences?.find((owner) => owner.controller)?.uid ?? "";

const CONTROLLER: IndexedField = {
  valuesOf: (version) => {
    const uid = controllerOf(version);
    return uid === "" ? UNCONTROLLED : [uid];
  },
  valueOf: controllerOf,
  isOne: true,
};

const NODE_NAME = Buffer.from('"nodeName":"');
const QUOTE = 0x22;

/**
 * Read from the bytes of what was loaded, since the server must know all of that before it is ready, and parsing a Pod takes ten
 * times as long as looking for a word in it. A label may have the same name, so whoever asks looks into the object, too.
 */
const NODE: IndexedField = {
  valuesOf: (version) => {
    if (!version.isLoaded) {
      const node = NODE.valueOf(version);
      return node === "" ? NONE : [node];
    }
    const { value } = version;
    const names: string[] = [];
    for (let at = value.indexOf(NODE_NAME); at >= 0; at = value.indexOf(NODE_NAME, at)) {
      at += NODE_NAME.length;
      names.push(value.toString("latin1", at, value.indexOf(QUOTE, at)));
    }
    return names;
  },
  valueOf: ({ object }) => (object as V1Pod).spec?.nodeName ?? "",
  isOne: false,
};

/** The objects of one resource by one field. */
interface VersionIndex {
  readonly byValue: Map<string, Map<string, ObjectVersion>>;
  /** All present objects are in it. */
  isWhole: boolean;
}

/** Made for a resource when someone first asks by a field, and kept up to date from then on. */
const indexes = new WeakMap<ResourceCache, Map<IndexedField, VersionIndex>>();

/** `onStart` is given what ends when a new index is whole. */
function indexOf(
  clock: Clock,
  part: ResourceCache,
  field: IndexedField,
  onStart: (told: Promise<void>) => void,
): VersionIndex {
  let ofPart = indexes.get(part);
  if (!ofPart) indexes.set(part, (ofPart = new Map()));
  const known = ofPart.get(field);
  if (known) return known;
  const byValue: VersionIndex["byValue"] = new Map();
  const update = ({ key, old, version }: CacheEvent): void => {
    const values = version ? field.valuesOf(version) : NONE;
    // What stays under its value keeps its place: a map that loses and gains an entry each time is made anew again and again.
    for (const value of old ? field.valuesOf(old) : NONE) {
      if (values.includes(value)) continue;
      const own = byValue.get(value);
      if (own?.delete(key) && own.size === 0) byValue.delete(value);
    }
    for (const value of values) {
      const own = byValue.get(value);
      if (own) own.set(key, version!);
      else byValue.set(value, new Map([[key, version!]]));
    }
  };
  // First in line, so that other listeners of the same event already see the new index.
  const { told } = followResource(clock, part, update, (listener) => part.addFirst(listener));
  const index = { byValue, isWhole: told === undefined };
  ofPart.set(field, index);
  if (told) onStart(told.then(() => void (index.isWhole = true)));
  return index;
}
