import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import type { Resource, Verb } from "../api/machinery/resource.ts";
import type { SchemaSet, TypeSchema } from "../api/machinery/schema.ts";
import { resourcePrefix } from "./registry/keys.ts";
import type { ResourceCache } from "./registry/resource-cache.ts";
import type { WatchCache } from "./registry/watch-cache.ts";

/** One resource as it is served: its catalog row, its type and its part of the cache. */
export interface ServedResource {
  readonly resource: Resource;
  readonly kind: Kind;
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

  constructor(schemas: SchemaSet, cache: WatchCache) {
    this.#schemas = schemas;
    this.#cache = cache;
  }

  /** Serves `resource`, in place of an earlier one of the same group, version and plural. */
  add(resource: Resource, schema?: TypeSchema): void {
    const { kind } = resource;
    const { group, version, plural } = kind;
    const stored = resource.storedAs?.kind ?? kind;
    const served: ServedResource = {
      resource,
      kind,
      apiVersion: apiVersionOf(kind),
      schema: schema ?? this.#schemas.root(group, version, kind.kind),
      storedSchema: this.#schemas.root(stored.group, stored.version, stored.kind) ?? schema,
      cache: this.#cache.resource(stored.group, stored.plural),
      prefix: resourcePrefix(stored.group, stored.plural),
    };
    this.#served.set(`${group}/${version}/${plural}`, served);
    this.#byKind.set(`${group}/${version}/${kind.kind}`, served);
    for (const listener of this.#listeners) listener();
  }

  remove(kind: Kind): void {
    this.#served.delete(`${kind.group}/${kind.version}/${kind.plural}`);
    this.#byKind.delete(`${kind.group}/${kind.version}/${kind.kind}`);
    for (const listener of this.#listeners) listener();
  }

  /** Called after each change of the table. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
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
}

/** True when `resource` serves `verb`. */
export function allows(resource: Resource, verb: string): boolean {
  return (resource.verbs?.length ? resource.verbs : ALL_VERBS).includes(verb as Verb);
}
