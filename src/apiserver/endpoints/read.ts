import {
  notAcceptable,
  tooManyRequests,
  tooOldResourceVersion,
} from "../../api/machinery/status-errors.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { ApiCall } from "../api-call.ts";
import {
  parseGetOptions,
  parseListOptions,
  type ListOptions,
} from "../../api/machinery/list-options.ts";
import { jsonResponse, type ApiResponse } from "../api-response.ts";
import { bookmarkObject, objectFrames, shapedFrames } from "../bodies/frames.ts";
import { partialObjectMetadata, type MetaVersion } from "../../api/machinery/table.ts";
import { tableOf } from "../bodies/shapes.ts";
import { WatchBody, type FrameEncoder } from "../bodies/watch-body.ts";
import type { ServerParts } from "../parts.ts";
import { EventReader } from "../registry/event-reader.ts";
import { faced, shown } from "../registry/face.ts";
import type { MatchedEvent } from "../registry/predicate.ts";
import type { ApiRequest } from "../request.ts";
import { getObject } from "../verbs/get.ts";
import { checkReached, listObjects, selected, type ListAnswer } from "../verbs/list.ts";
import { listResponse, replyFor, replyVersion, type Reply } from "./reply.ts";

/** Seconds: a watch without a timeout of its own lasts so long, and up to twice that. @spec MinRequestTimeout */
const WATCH_SECONDS_MIN = 1800;
/** Open watches: six for each of 5,000 nodes. Each costs 3 kB and a turn for every event of its resource. */
const WATCHES_MAX = 30_000;
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
export function listEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): ApiResponse | Promise<ApiResponse> {
  const reply = replyFor(request);
  const page = listObjects(parts, call, parseListOptions(request.query));
  if (page instanceof Promise)
    return page.then((known) => replyList(parts, call, request, reply, known));
  return replyList(parts, call, request, reply, page);
}

function replyList(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  reply: Reply,
  page: ListAnswer,
): ApiResponse {
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue !== undefined && { continue: page.continue }),
    ...(page.remaining && { remainingItemCount: page.remaining }),
  };
  return listResponse(parts, call, request, reply, metadata, page.cursor);
}

/** @spec endpoints/handlers/get.go, watch.go */
export function watchEndpoint(parts: ServerParts, call: ApiCall, request: ApiRequest): ApiResponse {
  const reply = replyFor(request);
  if (reply.representation.mediaType !== "application/json")
    throw notAcceptable(["application/json"]);
  if (parts.watches.size >= WATCHES_MAX)
    throw tooManyRequests(`the server has ${WATCHES_MAX} watches open already`, 1);
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
  const response = { ...jsonResponse(200, NOTHING, call.warnings), body };
  return inflatesAtOnce(request.headers["user-agent"])
    ? { ...response, compression: "pieces" }
    : response;
}

/**
 * Clients that hand on each event of a compressed stream as it comes: those of Go (client-go's name ends in `kubernetes/…`), curl, Node.js.
 *
 * Why not all that accept gzip: upstream sends no watch compressed, and some clients, asked for nothing but by their library, wait for
 * more bytes before they inflate what they have (Rust's async-compression before 0.4.6).
 */
const INFLATING_AT_ONCE = /(^| )kubernetes\/|^(Go-http-client|curl|node|undici)\b/;

function inflatesAtOnce(userAgent: string | undefined): boolean {
  return userAgent !== undefined && INFLATING_AT_ONCE.test(userAgent);
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

function encoderFor(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  reply: Reply,
): FrameEncoder {
  const { kind, served, face } = call;
  const { as, version } = reply.representation;
  const { apiVersion } = face;
  const isConverted = face.older !== undefined || served.resource.storedAs !== undefined;
  const inFace = (event: MatchedEvent): MatchedEvent => ({
    ...event,
    version: faced(face, shown(served, event.version)),
  });
  if (as === undefined)
    return objectFrames(kind.kind, apiVersion, isConverted ? inFace : undefined);
  const seen = (event: MatchedEvent): ObjectVersion => {
    const version = shown(served, event.version);
    return event.revision === version.revision ? version : version.at(event.revision);
  };
  if (as !== "Table")
    return shapedFrames(
      `partial/${version}/${apiVersion}`,
      (event) => partialObjectMetadata(seen(event).object, version),
      (revision, isEnd) =>
        bookmarkObject("PartialObjectMetadata", `meta.k8s.io/${version}`, revision, isEnd),
    );
  return shapedFrames(
    `table/${version}/${apiVersion}/${request.query.get("includeObject") ?? ""}`,
    (event) => tableOf(parts, face, [seen(event)], {}, request.query, version!),
    (revision, isEnd) => bookmarkTable(kind.kind, apiVersion, version!, revision, isEnd),
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
