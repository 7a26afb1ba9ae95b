import {
  notAcceptable,
  continueExpired,
  tooLargeResourceVersion,
  tooOldResourceVersion,
} from "../../api/machinery/status-errors.ts";
import type { SortedView } from "../../base/sorted-map.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import { encodeContinue } from "../../api/machinery/continue-token.ts";
import type { ApiCall } from "../api-call.ts";
import {
  parseGetOptions,
  parseListOptions,
  type ListOptions,
} from "../../api/machinery/list-options.ts";
import { jsonResponse, type ApiResponse } from "../api-response.ts";
import { bookmarkObject, objectFrames, shapedFrames } from "../bodies/frames.ts";
import { listBody } from "../bodies/list-body.ts";
import {
  partialObjectMetadata,
  partialObjectMetadataList,
  type MetaVersion,
} from "../../api/machinery/table.ts";
import { tableOf } from "../bodies/shapes.ts";
import { madeResponse } from "../bodies/encode.ts";
import { WatchBody, type FrameEncoder } from "../bodies/watch-body.ts";
import type { ServerParts } from "../parts.ts";
import { EventReader } from "../registry/event-reader.ts";
import { shown } from "../registry/face.ts";
import { unwritten } from "../registry/commit.ts";
import type { MatchedEvent, Predicate } from "../registry/predicate.ts";
import { predicateOf } from "../registry/selection.ts";
import type { ApiRequest } from "../request.ts";
import { getObject } from "../verbs/get.ts";
import { listPage, type ListPage } from "../verbs/list.ts";
import { replyFor, replyVersion, type Reply } from "./reply.ts";

/** Seconds: a watch without a timeout of its own lasts so long, and up to twice that. @spec MinRequestTimeout */
const WATCH_SECONDS_MIN = 1800;
/** Milliseconds between bookmarks. @spec cacher.go defaultBookmarkFrequency */
const BOOKMARK_MS = 60_000;

/** @spec endpoints/handlers/get.go GetResource */
export function getEndpoint(parts: ServerParts, call: ApiCall, request: ApiRequest): ApiResponse {
  const reply = replyFor(request);
  if (request.query.size > 0)
    checkReached(parts, parseGetOptions(request.query).resourceVersion ?? 0);
  return replyVersion(parts, call, request, reply, getObject(call));
}

/** @spec endpoints/handlers/get.go ListResource */
export function listEndpoint(parts: ServerParts, call: ApiCall, request: ApiRequest): ApiResponse {
  const reply = replyFor(request);
  const query = parseListOptions(request.query, call.info.verb === "watch");
  const page = listFor(parts, call, query);
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue !== undefined && { continue: page.continue }),
    ...(page.remaining && { remainingItemCount: page.remaining }),
  };
  const { kind } = call.kind;
  if (reply.isPlain) {
    const body = listBody(kind, call.served.apiVersion, metadata, page.versions);
    return { ...jsonResponse(200, NOTHING, call.warnings), body, isCompressible: true };
  }
  const { as, version } = reply.representation;
  const { versions } = page;
  const object =
    as === "Table"
      ? tableOf(parts, call.served, versions, metadata, request.query, version!)
      : as
        ? partialObjectMetadataList(
            metadata,
            versions.map((item) => item.object),
            version,
          )
        : {
            kind: `${kind}List`,
            apiVersion: call.served.apiVersion,
            metadata,
            items: versions.map((item) => item.object),
          };
  return madeResponse(200, object, reply.representation, reply.isPretty, call.warnings);
}

/** A page with the token of the next. */
export interface ListAnswer extends ListPage {
  readonly continue?: string;
}

/** What a list call answers, before it has a form. @throws {StatusError} BadRequest, Expired, Timeout */
export function listFor(parts: ServerParts, call: ApiCall, options: ListOptions): ListAnswer {
  const found = pageOf(parts, call, options);
  const { versions, revision, lastKey } = found;
  return {
    ...found,
    ...(lastKey !== undefined && {
      continue: encodeContinue({ revision, startKey: `${lastKey}\u0000` }),
    }),
    ...(call.resource.storedAs && {
      versions: versions.map((version) => shown(call.served, version)),
    }),
  };
}

/** @spec endpoints/handlers/get.go, watch.go */
export function watchEndpoint(parts: ServerParts, call: ApiCall, request: ApiRequest): ApiResponse {
  const reply = replyFor(request);
  if (reply.representation.mediaType !== "application/json")
    throw notAcceptable(["application/json"]);
  const query = parseListOptions(request.query, call.info.verb === "watch");
  const { cache } = call.served;
  const body: WatchBody = new WatchBody(
    parts.cache,
    cache,
    startReading(parts, call, query),
    encoderFor(parts, call, request, reply),
    {
      timeoutMs: watchSeconds(parts, query) * 1000,
      ...(query.allowsBookmarks && { bookmarkMs: BOOKMARK_MS }),
      marksInitialEnd: query.sendInitialEvents === true && query.allowsBookmarks,
      tooOld: () => tooOldResourceVersion(query.resourceVersion ?? 0, cache.events.floor).status,
    },
    parts.clock,
    () => parts.watches.delete(body),
  );
  parts.watches.add(body);
  return { ...jsonResponse(200, NOTHING, call.warnings), body };
}

const NOTHING = Buffer.alloc(0);

/**
 * Where a watch begins: at its revision; without one (or at 0) with all present objects.
 *
 * @spec storage/cacher/cacher.go Watch; KEP-3157 (sendInitialEvents)
 */
function startReading(parts: ServerParts, call: ApiCall, query: ListOptions): EventReader {
  const { cache } = call.served;
  const predicate = selected(call, query);
  const revision = query.resourceVersion ?? 0;
  if (query.sendInitialEvents === true) return EventReader.fromPresent(cache, predicate);
  if (revision === 0) {
    return query.sendInitialEvents === false
      ? EventReader.after(cache, predicate, parts.cache.revision)
      : EventReader.fromPresent(cache, predicate);
  }
  return EventReader.after(cache, predicate, revision);
}

function watchSeconds(parts: ServerParts, query: ListOptions): number {
  return query.timeoutSeconds || WATCH_SECONDS_MIN + parts.random.integer(WATCH_SECONDS_MIN);
}

function selected(call: ApiCall, query: ListOptions): Predicate {
  const { labelSelector, fieldSelector } = query;
  const { namespace } = call.info;
  return predicateOf(call.resource, { namespace, labelSelector, fieldSelector });
}

/** One page: of the present, or of the past that a continue token or an exact revision names. */
function pageOf(parts: ServerParts, call: ApiCall, query: ListOptions): ListPage {
  const { cache } = call.served;
  const predicate = selected(call, query);
  const present = parts.cache.revision;
  if (query.continueToken) {
    const { revision, startKey } = query.continueToken;
    const at = revision > 0 ? revision : present;
    return listPage(viewAt(parts, cache, at), at, predicate, query.limit, startKey);
  }
  const wanted = query.resourceVersion ?? 0;
  checkReached(parts, wanted);
  const at = query.resourceVersionMatch === "Exact" && wanted > 0 ? wanted : present;
  const view = at === present ? cache.versions : viewAt(parts, cache, at);
  const page = listPage(view, at, predicate, query.limit, undefined);
  if (page.lastKey !== undefined) cache.keepSnapshot(present);
  return page;
}

/** The state at `revision`: kept, or equal to the present because nothing has happened since. */
function viewAt(
  parts: ServerParts,
  cache: ResourceCache,
  revision: number,
): SortedView<ObjectVersion> {
  checkReached(parts, revision);
  const kept = cache.snapshotAt(revision);
  if (kept) return kept;
  const { events } = cache;
  if (revision >= events.floor && events.after(revision) === events.end) return cache.versions;
  throw continueExpired();
}

function encoderFor(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  reply: Reply,
): FrameEncoder {
  const { kind, served } = call;
  const { as, version } = reply.representation;
  const face = (event: MatchedEvent): MatchedEvent => ({
    ...event,
    version: shown(served, event.version),
  });
  if (as === undefined)
    return objectFrames(kind.kind, served.apiVersion, served.resource.storedAs && face);
  const seen = (event: MatchedEvent): ObjectVersion => {
    const { version } = face(event);
    return event.revision === version.revision
      ? version
      : unwritten(version.key, version.object, event.revision);
  };
  if (as !== "Table")
    return shapedFrames(
      `partial/${version}`,
      (event) => partialObjectMetadata(seen(event).object, version),
      (revision, isEnd) =>
        bookmarkObject("PartialObjectMetadata", `meta.k8s.io/${version}`, revision, isEnd),
    );
  return shapedFrames(
    `table/${version}/${request.query.get("includeObject") ?? ""}`,
    (event) => tableOf(parts, served, [seen(event)], {}, request.query, version!),
    (revision, isEnd) => bookmarkTable(kind.kind, served.apiVersion, version!, revision, isEnd),
  );
}

/** Clients read the revision of a bookmark from the object of its only row. @spec response.go asTable (bookmarks) */
function bookmarkTable(
  kind: string,
  apiVersion: string,
  version: MetaVersion,
  revision: number,
  isEnd: boolean,
): object {
  const object = bookmarkObject(kind, apiVersion, revision, isEnd);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: { resourceVersion: String(revision) },
    columnDefinitions: [],
    rows: [{ cells: [], object }],
  };
}

/** @throws {StatusError} Timeout: a revision that was never given out. @spec storage/errors.go NewTooLargeResourceVersionError */
function checkReached(parts: ServerParts, revision: number): void {
  if (revision <= parts.cache.revision) return;
  throw tooLargeResourceVersion(revision, parts.cache.revision);
}
