import type { SortedView } from "../../base/sorted-map.ts";
import type { Slice, Turns } from "../../base/turns.ts";
import type { Revision } from "../../store/store.ts";
import type { ObjectVersion } from "./object-version.ts";
import type { Predicate } from "./predicate.ts";
import { ArrayCursor, ViewCursor, type VersionCursor } from "./version-cursor.ts";

/** Objects of one listing, in key order. */
export interface ListPage {
  readonly cursor: VersionCursor;
  readonly revision: Revision;
  /** Key of the last object of the page, when there are more. */
  readonly lastKey?: string;
  /** How many are left after this page; unknown when a selector filters. */
  readonly remaining?: number;
}

/**
 * Objects looked at between two looks at the clock, 0.1 ms where they must be parsed first. Lists of so many are made at
 * once, from the present as it is; a longer one keeps a snapshot. Doubling it makes stalls coarser.
 */
const STEP = 256;

/**
 * The objects of `view` that `predicate` wants, at most `limit` (0: all), from the key `startKey` on.
 *
 * A promise only when a selector has to look at so many for one page that others must have their turn.
 */
export function listPage(
  view: SortedView<ObjectVersion>,
  revision: Revision,
  predicate: Predicate,
  limit: number,
  startKey: string | undefined,
  turns: Turns,
): ListPage | Promise<ListPage> {
  const from = startKey === undefined || startKey < predicate.from ? predicate.from : startKey;
  const { matches, to } = predicate;
  if (limit === 0) return { cursor: wholeRange(view, predicate, from), revision };
  if (matches) return filteredPage(view, revision, predicate, limit, from, turns);
  const versions = view.slice(from, to, limit + 1);
  if (versions.length <= limit) return { cursor: new ArrayCursor(versions), revision };
  const lastKey = cutTo(versions, limit);
  const remaining = view.count(`${lastKey}\u0000`, to);
  return { cursor: new ArrayCursor(versions), revision, lastKey, remaining };
}

/** Everything in the range: an array where that is short, else read from a snapshot as the list is made. */
function wholeRange(
  view: SortedView<ObjectVersion>,
  predicate: Predicate,
  from: string,
): VersionCursor {
  const first = view.slice(from, predicate.to, STEP + 1);
  const { matches } = predicate;
  if (first.length > STEP) {
    const cursor = new ViewCursor(view, predicate, from);
    cursor.freeze();
    return cursor;
  }
  return new ArrayCursor(matches ? first.filter((version) => matches(version.object)) : first);
}

function filteredPage(
  view: SortedView<ObjectVersion>,
  revision: Revision,
  predicate: Predicate,
  limit: number,
  from: string,
  turns: Turns,
): ListPage | Promise<ListPage> {
  const versions: ObjectVersion[] = [];
  const slice = turns.slice();
  const answer = (): ListPage => {
    if (versions.length <= limit) return { cursor: new ArrayCursor(versions), revision };
    const lastKey = cutTo(versions, limit);
    return { cursor: new ArrayCursor(versions), revision, lastKey };
  };
  const cursor = new ViewCursor(view, predicate, from);
  if (fill(versions, cursor, limit, slice)) return answer();
  cursor.freeze();
  return (async () => {
    do await slice.next();
    while (!fill(versions, cursor, limit, slice));
    return answer();
  })();
}

/** @returns false: the slice is over, and there is more to look at. */
function fill(
  versions: ObjectVersion[],
  cursor: VersionCursor,
  limit: number,
  slice: Slice,
): boolean {
  while (!cursor.isDone && versions.length <= limit) {
    if (slice.isOver) return false;
    versions.push(...cursor.next(STEP));
  }
  return true;
}

/** Shortens `versions` to `limit`. @returns the key of the last one left. */
function cutTo(versions: ObjectVersion[], limit: number): string {
  versions.length = limit;
  return versions[limit - 1]!.key;
}
