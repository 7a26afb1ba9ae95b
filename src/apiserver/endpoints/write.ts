import { parseListOptions } from "../../api/machinery/list-options.ts";
import { unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import { decodeObject, mediaTypeOf, parseJson } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { facedObject } from "../registry/face.ts";
import { predicateOf } from "../registry/selection.ts";
import { ArrayCursor } from "../registry/version-cursor.ts";
import type { ApiRequest } from "../request.ts";
import { applyObject } from "../verbs/apply.ts";
import { createObject } from "../verbs/create.ts";
import { deleteCollection } from "../verbs/deletecollection.ts";
import { deleteObject } from "../verbs/delete.ts";
import { patchObject, type PatchType } from "../verbs/patch.ts";
import { updateObject, type ChangeRules } from "../verbs/update.ts";
import { APPLY_PATCH, configOf, isApplyPatch } from "./apply.ts";
import { deletionOf } from "./deletion-options.ts";
import { listResponse, replyFor, replyObject, replyVersion, successStatus } from "./reply.ts";

/** @spec endpoints/handlers/create.go */
export async function createEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const review = parts.reviews.get(`${call.kind.group}/${call.kind.plural}`);
  const reply = replyFor(request, !review);
  const bytes = call.measure(await request.body());
  const object = decodeObject(parts, call, call.face, bytes, request.headers["content-type"]);
  const pause = call.pause();
  if (pause) await pause;
  if (review) {
    const answer = await review.review(call, object);
    return replyObject(call, reply, facedObject(call.face, answer), 201);
  }
  const version = await createObject(parts, call, object);
  return replyVersion(parts, call, request, reply, version, 201);
}

/** @spec endpoints/handlers/update.go */
export async function updateEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  rules?: ChangeRules,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  const bytes = call.measure(await request.body());
  const object = decodeObject(parts, call, call.face, bytes, request.headers["content-type"]);
  const pause = call.pause();
  if (pause) await pause;
  const { version, isCreated } = await updateObject(parts, call, {
    wanted: () => object,
    ...(rules && { rules }),
  });
  return replyVersion(parts, call, request, reply, version, isCreated ? 201 : 200);
}

/** In upstream's order, as its message lists them. @spec endpoints/handlers/patch.go */
const PATCHES: ReadonlyMap<string, PatchType> = new Map([
  ["application/json-patch+json", "json"],
  ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic"],
]);

/** The kind of patch that a request's Content-Type names, applies aside. @throws {StatusError} UnsupportedMediaType */
export function patchTypeOf(request: ApiRequest): PatchType {
  const type = PATCHES.get(mediaTypeOf(request.headers["content-type"]));
  if (!type) throw unsupportedMediaType([...PATCHES.keys(), APPLY_PATCH]);
  return type;
}

/** @spec endpoints/handlers/patch.go */
export async function patchEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  rules?: ChangeRules,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  if (isApplyPatch(request)) {
    const config = await configOf(call, request);
    const isForced = call.flags.isForced ?? false;
    const { version, isCreated } = await applyObject(parts, call, { config, isForced }, rules);
    return replyVersion(parts, call, request, reply, version, isCreated ? 201 : 200);
  }
  const type = patchTypeOf(request);
  const patch = parseJson(call.measure(await request.body()), call.kind.kind);
  const pause = call.pause();
  if (pause) await pause;
  const version = await patchObject(parts, call, type, patch, rules);
  return replyVersion(parts, call, request, reply, version);
}

/** Resources whose delete answers with the object that is gone. @spec ReturnDeletedObject in pkg/registry */
const RETURNS_DELETED = new Set([
  "/namespaces",
  "/persistentvolumeclaims",
  "/persistentvolumes",
  "/pods",
  "/podtemplates",
  "/resourcequotas",
  "/serviceaccounts",
  "/services",
  "policy/podsecuritypolicies",
  "storage.k8s.io/csidrivers",
  "storage.k8s.io/csinodes",
  "storage.k8s.io/storageclasses",
  "storage.k8s.io/volumeattachments",
]);

/** @spec endpoints/handlers/delete.go DeleteResource */
export async function deleteEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  const { options, isDryRun } = deletionOf(parts.schemas, request, await request.body());
  const { version, isGone } = await deleteObject(parts, dryRunOf(call, isDryRun), options);
  const showsObject = !isGone || RETURNS_DELETED.has(`${call.kind.group}/${call.kind.plural}`);
  return showsObject
    ? replyVersion(parts, call, request, reply, version)
    : replyObject(call, reply, successStatus(call, version));
}

/** @spec endpoints/handlers/delete.go DeleteCollection */
export async function deleteCollectionEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  const { options, isDryRun } = deletionOf(parts.schemas, request, await request.body());
  const { labelSelector, fieldSelector } = parseListOptions(request.query);
  const { namespace } = call.info;
  const predicate = predicateOf(call.resource, { namespace, labelSelector, fieldSelector });
  const versions = await deleteCollection(parts, dryRunOf(call, isDryRun), options, predicate);
  const metadata = { resourceVersion: String(parts.cache.revision) };
  return listResponse(parts, call, request, reply, metadata, new ArrayCursor(versions));
}

/** A delete may ask for a dry run in its body. */
function dryRunOf(call: ApiCall, isDryRun: boolean): ApiCall {
  return isDryRun === call.isDryRun ? call : call.withFlags({ ...call.flags, isDryRun });
}
