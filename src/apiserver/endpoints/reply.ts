import { deletedStatus, notAcceptable } from "../../api/machinery/status-errors.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { ApiCall } from "../api-call.ts";
import { jsonResponse, type ApiResponse } from "../api-response.ts";
import { madeResponse, versionResponse } from "../bodies/encode.ts";
import { listBody, listText, prettyListBody, type ListMeta } from "../bodies/list-body.ts";
import { listTextOf } from "../bodies/list-texts.ts";
import { partialObjectMetadata } from "../../api/machinery/table.ts";
import { turnsOf } from "../../base/turns.ts";
import { tableOf } from "../bodies/shapes.ts";
import { negotiate, negotiateUntabled, wantsPretty, type Representation } from "../negotiation.ts";
import type { ServerParts } from "../parts.ts";
import { faced, facedObject } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { ArrayCursor, mapped, type VersionCursor } from "../registry/version-cursor.ts";
import type { ApiRequest } from "../request.ts";

/** How one request wants its answers to look. */
export interface Reply {
  readonly representation: Representation;
  readonly isPretty: boolean;
  /** The stored bytes can be sent as they are. */
  readonly isPlain: boolean;
}

/** How a request wants its answers to look. @throws {StatusError} NotAcceptable */
export function replyFor(request: ApiRequest, hasTable = true): Reply {
  const choose = hasTable ? negotiate : negotiateUntabled;
  const representation = choose(request.headers["accept"]);
  if (!representation) throw notAcceptable(["application/json", "application/yaml"]);
  const isPretty = wantsPretty(request.query, request.headers["user-agent"]);
  const isPlain =
    !isPretty && !representation.as && representation.mediaType === "application/json";
  return { representation, isPretty, isPlain };
}

/** One stored object, in the form that the request wants. */
export function replyVersion(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  reply: Reply,
  version: ObjectVersion,
  status = 200,
): ApiResponse {
  const { face } = call;
  if (reply.isPlain && version.revision > 0)
    return versionResponse(status, faced(face, version), call.warnings);
  const { as, version: shapeVersion } = reply.representation;
  const object =
    as === "Table"
      ? tableOf(parts, face, [version], {}, request.query, shapeVersion!)
      : as === "PartialObjectMetadata"
        ? partialObjectMetadata(version.object, shapeVersion)
        : facedObject(face, version.object);
  return madeResponse(status, object, reply.representation, reply.isPretty, call.warnings);
}

/** Several stored objects as a list, in the form that the request wants; long ones are made while they are sent. */
export function listResponse(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  reply: Reply,
  metadata: ListMeta,
  cursor: VersionCursor,
): ApiResponse {
  const { face } = call;
  const turns = turnsOf(parts.clock);
  const response = { ...jsonResponse(200, NOTHING, call.warnings), compression: "whole" as const };
  if (reply.isPlain) {
    const seen = face.older ? mapped(cursor, (version) => faced(face, version)) : cursor;
    return { ...response, body: listBody(face.kind.kind, face.apiVersion, metadata, seen, turns) };
  }
  const { representation, isPretty } = reply;
  const text = listTextOf(parts, face, metadata, request.query, representation, isPretty);
  const { mediaType, as } = representation;
  if (isPretty && !as && mediaType === "application/json") {
    const seen = face.older ? mapped(cursor, (version) => faced(face, version)) : cursor;
    return { ...response, body: prettyListBody(text, seen, turns) };
  }
  const headers = { ...response.headers, "content-type": mediaType };
  const compare = face.resource.compareRows;
  const rows = as === "Table" && compare ? sorted(cursor, compare) : cursor;
  return { ...response, headers, body: listText(text, rows, turns) };
}

function sorted(
  cursor: VersionCursor,
  compare: (a: KubeObject, b: KubeObject) => number,
): VersionCursor {
  const versions: ObjectVersion[] = [];
  while (!cursor.isDone) versions.push(...cursor.next(Infinity));
  return new ArrayCursor(versions.sort((a, b) => compare(a.object, b.object)));
}

const NOTHING = Buffer.alloc(0);

/** An object that is not stored (a Status, a Scale), in the form that the request wants. */
export function replyObject(
  call: ApiCall,
  reply: Reply,
  object: KubeObject | object,
  status = 200,
): ApiResponse {
  return madeResponse(status, object, reply.representation, reply.isPretty, call.warnings);
}

/** The Status of a success that has no object to show. */
export function successStatus(call: ApiCall, version: ObjectVersion): object {
  const status = deletedStatus(call.kind, call.info.name, version.meta.uid);
  return { ...status, metadata: { resourceVersion: String(version.revision) } };
}
