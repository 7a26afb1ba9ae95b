import type { Revision, Store, StoredRecord } from "../../store/store.ts";
import type { ServedResource } from "../resource-table.ts";
import type { ListPage } from "./list-page.ts";
import { ObjectVersion } from "./object-version.ts";
import type { Predicate } from "./predicate.ts";
import { ArrayCursor } from "./version-cursor.ts";

/**
 * Records read at once. Bounds what is in memory of objects that `predicate` does not want; doubling it doubles that and the
 * longest time that the store reads without a pause.
 */
const STEP_RECORDS = 500;

/**
 * What `listPage` would have answered at `revision`, read from the store: it costs what the page costs.
 *
 * Objects that have not changed since are the cache's own, so a long list of a near past takes little memory. How many are left
 * after the page is known as long as the cache has all events since: counting them in the store would read them all.
 * @param limit 0: all. `startKey`: where to go on; absent: at the beginning.
 * @throws {TooOld} `revision` was compacted.
 */
export async function pastPage(
  store: Store,
  { prefix, cache }: Pick<ServedResource, "prefix" | "cache">,
  revision: Revision,
  predicate: Predicate,
  limit: number,
  startKey: string | undefined,
): Promise<ListPage> {
  const wanted = limit === 0 ? Infinity : limit;
  const versions: ObjectVersion[] = [];
  const { matches } = predicate;
  const versionOf = ({ key, modRevision, value }: StoredRecord): ObjectVersion => {
    const local = key.slice(prefix.length);
    const present = cache.get(local);
    return present?.revision === modRevision
      ? present
      : new ObjectVersion(local, modRevision, value);
  };
  let from = startKey === undefined || startKey < predicate.from ? predicate.from : startKey;
  for (let hasMore = true; hasMore && versions.length <= wanted;) {
    const step = await store.range({
      from: prefix + from,
      to: prefix + predicate.to,
      limit: Math.min(STEP_RECORDS, wanted - (matches ? 0 : versions.length) + 1),
      revision,
    });
    for (const record of step.records) {
      const version = versionOf(record);
      if (versions.length <= wanted && (!matches || matches(version.object)))
        versions.push(version);
    }
    hasMore = step.hasMore;
    from = `${step.records.at(-1)?.key.slice(prefix.length)}\u0000`;
  }
  const cursor = new ArrayCursor(versions);
  if (versions.length <= wanted) return { cursor, revision };
  versions.length = limit;
  const lastKey = versions[limit - 1]!.key;
  const remaining = matches ? undefined : cache.countAt(revision, `${lastKey}\u0000`, predicate.to);
  return { cursor, revision, lastKey, ...(remaining === undefined ? {} : { remaining }) };
}
