import type { Clock } from "../../base/clock.ts";
import { turnsOf } from "../../base/turns.ts";
import type { CacheEvent } from "./event-ring.ts";
import { createPredicate } from "./predicate.ts";
import type { EventListener, ResourceCache } from "./resource-cache.ts";
import { ViewCursor } from "./version-cursor.ts";

/** Objects told between two looks at the clock: each may have to be parsed, 15 µs. */
const STEP = 32;

/** Someone who is told of all objects of one resource. */
export interface Following {
  /** Resolves when all that was present has been told. `undefined`: it has been already. */
  readonly told: Promise<void> | undefined;
  stop(): void;
}

const EVERYTHING = createPredicate("", "", "");

/**
 * Tells `tell` of every present object, as created, and then of every event, in order.
 *
 * What is left of this turn's slice is used before this returns, the rest is told in turns of its own; what happens meanwhile is
 * told after it.
 * @param add registers the listener at its place among the others.
 */
export function followResource(
  clock: Clock,
  part: ResourceCache,
  tell: EventListener,
  add: (listener: EventListener) => void = (listener) => part.listeners.add(listener),
): Following {
  const cursor = new ViewCursor(part.versions, EVERYTHING, EVERYTHING.from);
  const slice = turnsOf(clock).slice();
  const tellPresent = (): boolean => {
    while (!cursor.isDone) {
      for (const version of cursor.next(STEP))
        tell({ key: version.key, revision: version.revision, version, old: undefined });
      if (slice.isOver) return cursor.isDone;
    }
    return true;
  };
  // Thirty controllers begin in one turn: those that come late begin to tell in turns of their own.
  const isTold = part.versions.size === 0 || (!slice.isOver && tellPresent());
  let backlog: CacheEvent[] | undefined = isTold ? undefined : [];
  let isStopped = false;
  const listener: EventListener = (event) => {
    if (backlog) backlog.push(event);
    else if (!isStopped) tell(event);
  };
  add(listener);
  const tellRest = async (): Promise<void> => {
    do await slice.next();
    while (!isStopped && !tellPresent());
    for (let at = 0; backlog && at < backlog.length && !isStopped; at++) {
      tell(backlog[at]!);
      if (slice.isOver) await slice.next();
    }
    backlog = undefined;
  };
  if (backlog) cursor.freeze();
  return {
    told: backlog && tellRest(),
    stop: () => {
      isStopped = true;
      part.listeners.delete(listener);
    },
  };
}
