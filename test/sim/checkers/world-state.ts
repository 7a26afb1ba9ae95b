import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { Change } from "../world/history.ts";

/** All objects at one revision, folded from changes. */
export class WorldState {
  readonly #resources = new Map<string, Map<string, KubeObject>>();

  /** The state after `changes`, which are all there were. */
  static after(changes: readonly Change[]): WorldState {
    const state = new WorldState();
    for (const change of changes) state.apply(change);
    return state;
  }

  apply({ resource, key, object }: Change): void {
    const objects = this.#resources.get(resource) ?? new Map<string, KubeObject>();
    this.#resources.set(resource, objects);
    if (object) objects.set(key, object);
    else objects.delete(key);
  }

  list<T extends KubeObject>(resource: string): readonly T[] {
    return [...(this.#resources.get(resource)?.values() ?? [])] as T[];
  }

  get<T extends KubeObject>(resource: string, key: string): T | undefined {
    return this.#resources.get(resource)?.get(key) as T | undefined;
  }

  /** Everything, with its resource. */
  *all(): Iterable<readonly [resource: string, object: KubeObject]> {
    for (const [resource, objects] of this.#resources)
      for (const object of objects.values()) yield [resource, object];
  }
}

/** `NAMESPACE/NAME`, or `NAME`. */
export function keyOf({ metadata }: KubeObject): string {
  const { namespace, name = "" } = metadata ?? {};
  return namespace === undefined ? name : `${namespace}/${name}`;
}
