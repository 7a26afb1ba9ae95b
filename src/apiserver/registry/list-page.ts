import type { SortedView } from "../../base/sorted-map.ts";
import type { Revision } from "../../store/store.ts";
import type { ObjectVersion } from "./object-version.ts";
import type { Predicate } from "./predicate.ts";

/** Objects of one listing, in key order. */
export interface ListPage {
  readonly versions: readonly ObjectVersion[];
  readonly revision: Revision;
  /** Key of the last object looked at, when there are more. */
  readonly lastKey?: string;
  /** How many are left after this page; unknown when a selector filters. */
  readonly remaining?: number;
}

/** Objects fetched at once while a selector filters: most pages of a filtered list need one or two such steps. */
const STEP = 1000;

/** The objects of `view` that `predicate` wants, at most `limit` (0: all), from the key `startKey` on. */
export function listPage(
  view: SortedView<ObjectVersion>,
  revision: Revision,
  predicate: Predicate,
  limit: number,
  startKey: string | undefined,
): ListPage {
  const from = startKey === undefined || startKey < predicate.from ? predicate.from : startKey;
  const { matches, to } = predicate;
  if (limit === 0) {
    const all = view.slice(from, to, Infinity);
    const versions = matches ? all.filter((version) => matches(version.object)) : all;
    return { versions, revision };
  }
  const versions = matches
    ? filtered(view, from, to, limit + 1, matches)
    : view.slice(from, to, limit + 1);
  if (versions.length <= limit) return { versions, revision };
  versions.length = limit;
  const lastKey = versions[limit - 1]!.key;
  if (matches) return { versions, revision, lastKey };
  return { versions, revision, lastKey, remaining: view.count(`${lastKey}\u0000`, to) };
}

function filtered(
  view: SortedView<ObjectVersion>,
  from: string,
  to: string,
  limit: number,
  matches: NonNullable<Predicate["matches"]>,
): ObjectVersion[] {
  const out: ObjectVersion[] = [];
  for (let start = from; out.length < limit;) {
    const step = view.slice(start, to, STEP);
    for (const version of step)
      if (out.length < limit && matches(version.object)) out.push(version);
    if (step.length < STEP) break;
    start = `${step.at(-1)!.key}\u0000`;
  }
  return out;
}
