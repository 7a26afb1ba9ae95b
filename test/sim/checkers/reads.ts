import type { Change, History, ReadCall } from "../world/history.ts";
import type { Checker } from "./checker.ts";

/** A read shows what was there between its question and its answer: never less than anybody had been told before. */
export const reads: Checker = {
  name: "reads",
  check: (history) => history.reads.flatMap((read) => judge(read, history)),
};

function judge(read: ReadCall, { changes }: History): readonly string[] {
  const place = placeOf(read.path);
  if (!place) return [];
  const { knownRevision, newestRevision } = read;
  const own = changes.filter(
    ({ resource, key }) => resource === place.resource && key === place.key,
  );
  const seen = own.filter(({ revision }) => revision <= newestRevision);
  // What the object was at the newest revision known before, and what it became until the answer.
  const first = seen.findLastIndex(({ revision }) => revision <= knownRevision);
  const possible = seen.slice(Math.max(0, first));
  const isAbsentPossible = first < 0 || possible.some(({ object }) => !object);
  const revision = Number(read.object?.metadata?.resourceVersion ?? 0);
  const isFine =
    read.status === 404 ? isAbsentPossible : possible.some((change) => isVersion(change, revision));
  const got = read.status === 404 ? "nothing" : `version ${revision}`;
  return isFine ? [] : [`${read.path} gave ${got} when ${knownRevision} was known`];
}

function isVersion({ object, revision }: Change, wanted: number): boolean {
  return object !== undefined && revision === wanted;
}

/** Of one object's own path; `undefined` for lists and subresources. */
function placeOf(path: string): { readonly resource: string; readonly key: string } | undefined {
  const found = /^\/(?:api|apis\/([^/]+))\/[^/]+\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(
    path,
  );
  if (!found) return undefined;
  const [, group, namespace, plural, name] = found;
  return { resource: group ? `${group}/${plural}` : plural!, key: `${namespace}/${name}` };
}
