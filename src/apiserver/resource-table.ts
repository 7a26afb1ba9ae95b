import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import { deprecationWarning, type OlderVersion } from "../api/machinery/older-version.ts";
import type { Resource, Verb } from "../api/machinery/resource.ts";
import type { SchemaSet, TypeSchema } from "../api/machinery/schema.ts";
import { resourcePrefix } from "./registry/keys.ts";
import type { ResourceCache } from "./registry/resource-cache.ts";
import type { WatchCache } from "./registry/watch-cache.ts";

/**
 * One resource as it is served under one apiVersion: its catalog row, its type and its part of the cache.
 *
 * Of an older apiVersion, `kind`, `apiVersion` and `schema` are its own, all else is the hub's. Only the endpoints, which read
 * and write what clients see, know older ones; verbs work on the hub.
 */
export interface ServedResource {
  readonly resource: Resource;
  readonly kind: Kind;
  /** What the verbs work on; itself, unless `older`. */
  readonly hub: ServedResource;
  readonly older?: OlderVersion;
  /** The warning of every answer about it. */
  readonly deprecation?: string;
  /** `v1`, `apps/v1` */
  readonly apiVersion: string;
  readonly schema: TypeSchema | undefined;
  /** Of its stored form. */
  readonly storedSchema: TypeSchema | undefined;
  readonly cache: ResourceCache;
  /** Of its keys in the store. */
  readonly prefix: string;
}

const ALL_VERBS: readonly Verb[] = [
  "get",
  "list",
  "watch",
  "create",
  "update",
  "patch",
  "delete",
  "deletecollection",
];

/** The resources that the server serves now. Custom resources come and go. */
export class ResourceTable {
  readonly #schemas: SchemaSet;
  readonly #cache: WatchCache;
  readonly #served = new Map<string, ServedResource>();
  readonly #listeners: (() => void)[] = [];
  readonly #byKind = new Map<string, ServedResource>();
  /** What `of` has found since the last change of the table. */
  #known = new WeakMap<Kind, ServedResource>();

  constructor(schemas: SchemaSet, cache: WatchCache) {
    this.#schemas = schemas;
    this.#cache = cache;
  }

  /** Serves `resource`, in place of an earlier one of the same group, version and plural. */
  add(resource: Resource, schema?: TypeSchema): void {
    const { kind } = resource;
    const { group, version } = kind;
    const stored = resource.storedAs?.kind ?? kind;
    const { lifecycle } = resource;
    const own = {
      resource,
      kind,
      apiVersion: apiVersionOf(kind),
      schema: schema ?? this.#schemas.root(group, version, kind.kind),
      storedSchema: this.#schemas.root(stored.group, stored.version, stored.kind) ?? schema,
      cache: this.#cache.resource(stored.group, stored.plural),
      prefix: resourcePrefix(stored.group, stored.plural),
      ...(lifecycle && { deprecation: deprecationWarning(kind, lifecycle) }),
    };
    const served: ServedResource = Object.assign(own, { hub: own as ServedResource });
    this.#put(served);
    for (const older of resource.olderVersions ?? []) this.#put(this.#older(served, older));
    this.#changed();
  }

  /** Ends `kind` and its older versions. */
  remove({ group, version, plural }: Kind): void {
    const hub = this.find(group, version, plural);
    const isGone = (served: ServedResource): boolean => served.hub === hub;
    for (const [key, served] of this.#served) if (isGone(served)) this.#served.delete(key);
    for (const [key, served] of this.#byKind) if (isGone(served)) this.#byKind.delete(key);
    this.#changed();
  }

  #changed(): void {
    this.#known = new WeakMap();
    for (const listener of this.#listeners) listener();
  }

  /** Called after each change of the table. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The resource that serves objects of `kind`; the cheapest way to it. */
  of(kind: Kind): ServedResource | undefined {
    let served = this.#known.get(kind);
    if (!served) {
      served = this.find(kind.group, kind.version, kind.plural);
      if (served) this.#known.set(kind, served);
    }
    return served;
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  ofKind(group: string, version: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${group}/${version}/${kind}`);
  }

  all(): readonly ServedResource[] {
    return [...this.#served.values()];
  }

  #put(served: ServedResource): void {
    const { group, version, plural, kind } = served.kind;
    this.#served.set(`${group}/${version}/${plural}`, served);
    this.#byKind.set(`${group}/${version}/${kind}`, served);
  }

  #older(hub: ServedResource, older: OlderVersion): ServedResource {
    const { group, version, lifecycle } = older;
    const kind = { ...hub.kind, group, version };
    const schema = this.#schemas.root(group, version, kind.kind);
    return {
      ...hub,
      kind,
      apiVersion: apiVersionOf(kind),
      schema: schema ?? hub.schema,
      older,
      ...(lifecycle && { deprecation: deprecationWarning(kind, lifecycle) }),
    };
  }
}

/** True when `resource` serves `verb`. */
export function allows(resource: Resource, verb: string): boolean {
  return (resource.verbs?.length ? resource.verbs : ALL_VERBS).includes(verb as Verb);
}
