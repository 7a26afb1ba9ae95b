import type { Kind } from "../../src/api/machinery/kind.ts";
import {
  formatKey,
  keyOf,
  type KubeObject,
  type ObjectKey,
} from "../../src/api/machinery/object.ts";
import type { V1Pod } from "../../src/gen/types.ts";
import type { CacheChange, CacheFilter, CacheReader } from "../../src/client/cache.ts";

type Listener = (change: CacheChange) => void;

/** A cache whose objects a test puts in by hand; tells listeners as the real ones do. Objects are frozen. */
export class StaticCache implements CacheReader {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Listener[]>();
  #reads = 0;

  /** How many objects were looked at: of a list, all that there are of the kind. */
  get reads(): number {
    return this.#reads;
  }

  put<T extends KubeObject>(kind: Kind<T>, object: T): this {
    const ofKind = this.#ofKind(kind);
    const text = formatKey(keyOf(object));
    const old = ofKind.get(text);
    ofKind.set(text, deepFreeze(object));
    this.#tell(kind, { kind, key: keyOf(object), old, object });
    return this;
  }

  remove(kind: Kind, key: ObjectKey): void {
    const ofKind = this.#ofKind(kind);
    const old = ofKind.get(formatKey(key));
    ofKind.delete(formatKey(key));
    if (old) this.#tell(kind, { kind, key, old, object: undefined });
  }

  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T | undefined {
    this.#reads++;
    return this.#ofKind(kind).get(formatKey(key)) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>, filter: CacheFilter<T> = {}): readonly T[] {
    const { namespace, nodeName, where } = filter;
    this.#reads += this.#ofKind(kind).size;
    return ([...this.#ofKind(kind).values()] as T[])
      .filter((object) => namespace === undefined || object.metadata?.namespace === namespace)
      .filter((object) => nodeName === undefined || (object as V1Pod).spec?.nodeName === nodeName)
      .filter((object) => where === undefined || where(object))
      .sort((a, b) => (formatKey(keyOf(a)) < formatKey(keyOf(b)) ? -1 : 1));
  }

  onChange(kind: Kind, listener: Listener): void {
    const name = nameOf(kind);
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    for (const object of this.#ofKind(kind).values())
      listener({ kind, key: keyOf(object), old: undefined, object });
  }

  #ofKind(kind: Kind): Map<string, KubeObject> {
    const name = nameOf(kind);
    let found = this.#objects.get(name);
    if (!found) this.#objects.set(name, (found = new Map()));
    return found;
  }

  #tell(kind: Kind, change: CacheChange): void {
    for (const listener of this.#listeners.get(nameOf(kind)) ?? []) listener(change);
  }
}

const nameOf = ({ group, plural }: Kind): string => `${plural}.${group}`;

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
