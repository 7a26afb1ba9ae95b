import { encodeContinue } from "../../api/machinery/continue-token.ts";
import type { ListOptions } from "../../api/machinery/list-options.ts";
import {
  continueExpired,
  inconsistentContinue,
  resourceVersionCompacted,
  tooLargeResourceVersion,
} from "../../api/machinery/status-errors.ts";
import type { SortedView } from "../../base/sorted-map.ts";
import { turnsOf } from "../../base/turns.ts";
import { TooOld, type Revision } from "../../store/store.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { shown } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { listPage, type ListPage } from "../registry/list-page.ts";
import { pastPage } from "../registry/past-page.ts";
import type { Predicate } from "../registry/predicate.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import { predicateOf } from "../registry/selection.ts";
import { mapped } from "../registry/version-cursor.ts";

/** A page with the token of the next. */
export interface ListAnswer extends ListPage {
  readonly continue?: string;
}

/**
 * What a list call answers, before it has a form. A promise only for a past state that the cache does not hold.
 *
 * @throws {StatusError} BadRequest, Timeout. Expired: the revision was compacted; for a page with a token that goes on in
 *         the present, where there is a place to go on from.
 * @spec k8s@1.36 apiserver storage/etcd3/store.go GetList, resolveGetListRev
 */
export function listObjects(
  parts: ServerParts,
  call: ApiCall,
  options: ListOptions,
): ListAnswer | Promise<ListAnswer> {
  const page = pageFor(parts, call, options);
  return page instanceof Promise
    ? page.then((known) => answerOf(call, known))
    : answerOf(call, page);
}

/** What the selectors and the namespace of a call select. */
export function selected(call: ApiCall, query: ListOptions): Predicate {
  const { labelSelector, fieldSelector } = query;
  const { namespace } = call.info;
  return predicateOf(call.resource, { namespace, labelSelector, fieldSelector });
}

/** @throws {StatusError} Timeout: a revision that was never given out. @spec storage/errors.go NewTooLargeResourceVersionError */
export function checkReached(parts: ServerParts, revision: Revision): void {
  if (revision <= parts.cache.revision) return;
  throw tooLargeResourceVersion(revision, parts.cache.revision);
}

function answerOf(call: ApiCall, page: ListPage): ListAnswer {
  const { cursor, revision, lastKey } = page;
  return {
    ...page,
    ...(lastKey !== undefined && {
      continue: encodeContinue({ revision, startKey: `${lastKey}\u0000` }),
    }),
    ...(call.resource.storedAs && {
      cursor: mapped(cursor, (version) => shown(call.served, version)),
    }),
  };
}

/** One page: of the present, or of the past that a continue token or an exact revision names. */
function pageFor(
  parts: ServerParts,
  call: ApiCall,
  query: ListOptions,
): ListPage | Promise<ListPage> {
  const { cache } = call.served;
  const predicate = selected(call, query);
  const startKey = query.continueToken?.startKey;
  const present = parts.cache.revision;
  const at = exactRevision(query) ?? present;
  checkReached(parts, Math.max(at, query.resourceVersion ?? 0));
  const view = at === present ? cache.versions : keptView(cache, at);
  if (!view)
    return pastPage(parts.store, call.served, at, predicate, query.limit, startKey).catch(
      (error: unknown) => {
        throw error instanceof TooOld ? compacted(query) : error;
      },
    );
  const turns = turnsOf(parts.clock);
  const page = listPage(view, at, predicate, query.limit, startKey, turns);
  const mayGoOn = page instanceof Promise || page.lastKey !== undefined;
  if (mayGoOn && at === present) cache.keepSnapshot(present);
  return page;
}

/** The only revision that the answer may show; `undefined`: the newest. */
function exactRevision(query: ListOptions): Revision | undefined {
  const { continueToken, resourceVersion = 0, resourceVersionMatch, limit } = query;
  if (continueToken) return continueToken.revision > 0 ? continueToken.revision : undefined;
  const isExact = resourceVersionMatch === "Exact" || (resourceVersionMatch === "" && limit > 0);
  return isExact && resourceVersion > 0 ? resourceVersion : undefined;
}

/** The state at `revision` without the store: kept, or equal to the present because nothing has happened since. */
function keptView(cache: ResourceCache, revision: Revision): SortedView<ObjectVersion> | undefined {
  const { events } = cache;
  if (revision >= events.floor && events.after(revision) === events.end) return cache.versions;
  return cache.snapshotAt(revision);
}

/** @spec storage/etcd3/errors.go interpretListError, handleCompactedErrorForPaging */
function compacted({ limit, continueToken }: ListOptions): Error {
  if (limit === 0) return resourceVersionCompacted();
  if (!continueToken) return continueExpired();
  return inconsistentContinue(encodeContinue({ ...continueToken, revision: -1 }));
}
