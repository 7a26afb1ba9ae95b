import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject, ObjectKey } from "../api/machinery/object.ts";

/**
 * A synchronous view of the newest known objects. What controllers, scheduler, kubelet, proxy and DNS decide from.
 *
 * All kinds of one reader advance together where they come from one server process; across processes each kind
 * advances on its own.
 */
export interface CacheReader {
  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T | undefined;
  /** Ascending by namespace, then name. */
  list<T extends KubeObject>(kind: Kind<T>, filter?: CacheFilter<T>): readonly T[];
}

export interface CacheFilter<T> {
  readonly namespace?: string;
  /** Uses the index of objects by controller uid. "": those that no controller has. */
  readonly controllerUid?: string;
  /** Pods by `spec.nodeName`; the server's own cache has an index. */
  readonly nodeName?: string;
  readonly where?: (object: T) => boolean;
  /** At most so many: who looks at a large namespace does so in steps. */
  readonly limit?: number;
  /** Only what comes behind this name in `namespace`. */
  readonly after?: string;
}

/**
 * A change of one object in a cache. `old` and `object` are both absent never, and of one uid: an object that was made anew
 * under its name is told as gone, then as come, also where both happened unheard.
 */
export interface CacheChange<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly key: ObjectKey;
  readonly old: T | undefined;
  readonly object: T | undefined;
}

/**
 * Keeps the named kinds in step with the server by list and watch, and tells what changed.
 */
export interface Cache extends CacheReader {
  /** Starts watching `kind` (idempotent); resolves when its first list has arrived. */
  sync(kind: Kind): Promise<void>;
  /** Called after each change has been applied, in order. Changes of the first list arrive as `old: undefined`. */
  onChange(kind: Kind, listener: (change: CacheChange) => void): void;
  /** How many objects of `kind` are in `namespace`; costs nothing. */
  count(kind: Kind, namespace: string): number;
  /** The revision up to which `kind` is known; for "read your own writes by number". */
  revision(kind: Kind): number;
  /** Called whenever {@link revision} of `kind` moved, bookmarks included. */
  onRevision(kind: Kind, listener: (revision: number) => void): void;
  close(): void;
}
