import type { KubeObject } from "../../api/machinery/object.ts";
import type { Revision } from "../../store/store.ts";
import type { CacheEvent } from "./event-ring.ts";
import { localKey, namespaceRange } from "./keys.ts";
import type { ObjectVersion } from "./object-version.ts";
import type { Trigger } from "./resource-watchers.ts";

/** Which objects of one resource a list or a watch is about. */
export interface Predicate {
  /** Equal for equal predicates: watchers share encoded events by it. */
  readonly id: string;
  /** Local keys `from` ≤ key < `to`. */
  readonly from: string;
  readonly to: string;
  /** Absent: all of the range. */
  readonly matches?: (object: KubeObject) => boolean;
  /** What all matching objects have in common, where that is something. */
  readonly trigger?: Trigger;
}

/** The predicate of a namespace ("": all), a name ("": all) and a test of the object, which `selectorId` identifies. */
export function createPredicate(
  namespace: string,
  name: string,
  selectorId: string,
  matches?: (object: KubeObject) => boolean,
  fieldTrigger?: Trigger,
): Predicate {
  const key = localKey(namespace, name);
  const [from, to] = name === "" ? namespaceRange(namespace) : [key, `${key}\u0000`];
  const trigger = name === "" ? fieldTrigger : { field: "", value: key };
  const id = `${from}\n${to}\n${selectorId}`;
  return { id, from, to, ...(matches && { matches }), ...(trigger && { trigger }) };
}

/** A change as a watcher sees it. `revision` differs from the version's for DELETED: the last state, the deletion's revision. */
export interface MatchedEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly version: ObjectVersion;
  readonly revision: Revision;
}

/**
 * `event` as seen through `predicate`: an object that stops matching arrives as DELETED, one that begins to as ADDED.
 *
 * @spec k8s@1.36 apiserver pkg/storage/cacher cache_watcher.go convertToWatchEvent
 */
export function matchEvent(predicate: Predicate, event: CacheEvent): MatchedEvent | undefined {
  const { key, version, old, revision } = event;
  if (key < predicate.from || key >= predicate.to) return undefined;
  const { matches } = predicate;
  const isIn = version !== undefined && (!matches || matches(version.object));
  const wasIn = old !== undefined && (!matches || matches(old.object));
  if (isIn) return { type: wasIn ? "MODIFIED" : "ADDED", version, revision };
  return wasIn ? { type: "DELETED", version: old, revision } : undefined;
}
