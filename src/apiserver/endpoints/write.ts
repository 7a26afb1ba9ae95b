import {
  badRequest,
  invalid as invalidObject,
  unsupportedMediaType,
} from "../../api/machinery/status-errors.ts";
import { notSupported } from "../../api/machinery/field-error.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import { decodeObject, mediaTypeOf, parseBody } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { predicateOf } from "../registry/selection.ts";
import type { ApiRequest } from "../request.ts";
import { createObject } from "../verbs/create.ts";
import { deleteCollection } from "../verbs/deletecollection.ts";
import { deleteObject } from "../verbs/delete.ts";
import type { DeletionOptions } from "../verbs/deletion.ts";
import { patchObject, type PatchType } from "../verbs/patch.ts";
import { updateObject, type ChangeRules } from "../verbs/update.ts";
import { integer, readQuery } from "./query.ts";
import { replyFor, replyObject, replyVersion, successStatus } from "./reply.ts";

/** @spec endpoints/handlers/create.go */
export async function createEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  const bytes = await request.body();
  const object = decodeObject(parts, call, call.served, bytes, request.headers["content-type"]);
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
  const bytes = await request.body();
  const object = decodeObject(parts, call, call.served, bytes, request.headers["content-type"]);
  const { version, isCreated } = await updateObject(parts, call, {
    wanted: () => object,
    ...(rules && { rules }),
  });
  return replyVersion(parts, call, request, reply, version, isCreated ? 201 : 200);
}

/** In upstream's order, as its message lists them. @spec endpoints/handlers/patch.go */
const PATCHES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};

/** The kind of patch that a request's Content-Type names. @throws {StatusError} UnsupportedMediaType */
export function patchTypeOf(request: ApiRequest): PatchType {
  const type = PATCHES[mediaTypeOf(request.headers["content-type"])];
  if (!type) throw unsupportedMediaType(Object.keys(PATCHES));
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
  const type = patchTypeOf(request);
  const patch = parseBody(await request.body(), undefined, call.kind.kind);
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
  const options = deletionOptions(request, await request.body());
  const { version, isGone } = await deleteObject(parts, dryRunOf(call, options), options);
  const isAccepted = !isGone && options.orphanDependents === false;
  const status = isAccepted ? 202 : 200;
  const showsObject = !isGone || RETURNS_DELETED.has(`${call.kind.group}/${call.kind.plural}`);
  return showsObject
    ? replyVersion(parts, call, request, reply, version, status)
    : replyObject(call, reply, successStatus(call, version), status);
}

/** @spec endpoints/handlers/delete.go DeleteCollection */
export async function deleteCollectionEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const reply = replyFor(request);
  const options = deletionOptions(request, await request.body());
  const { labelSelector, fieldSelector } = readQuery(request.query);
  const { namespace } = call.info;
  const predicate = predicateOf(call.resource, { namespace, labelSelector, fieldSelector });
  const versions = await deleteCollection(parts, dryRunOf(call, options), options, predicate);
  return replyObject(call, reply, {
    kind: `${call.kind.kind}List`,
    apiVersion: call.served.apiVersion,
    metadata: { resourceVersion: String(parts.cache.revision) },
    items: versions.map(({ object }) => object),
  });
}

/** The body of a delete, or its query where there is none. */
interface RequestedDeletion extends DeletionOptions {
  readonly isDryRun: boolean;
}

interface DeleteOptionsBody {
  readonly kind?: string;
  readonly gracePeriodSeconds?: number | null;
  readonly propagationPolicy?: string | null;
  readonly orphanDependents?: boolean | null;
  readonly dryRun?: readonly string[] | null;
  readonly preconditions?: {
    readonly uid?: string | null;
    readonly resourceVersion?: string | null;
  } | null;
}

/** @throws {StatusError} BadRequest, Invalid. @spec apimachinery meta/v1/validation ValidateDeleteOptions */
function deletionOptions(request: ApiRequest, bytes: Buffer): RequestedDeletion {
  const body =
    bytes.length > 0
      ? (parseBody(bytes, request.headers["content-type"], "DeleteOptions") as DeleteOptionsBody)
      : optionsOfQuery(request.query);
  const kind = body.kind ?? "DeleteOptions";
  if (kind !== "DeleteOptions")
    throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  const policy = body.propagationPolicy ?? undefined;
  const orphan = body.orphanDependents ?? undefined;
  const dryRun = body.dryRun ?? [];
  const errors = [
    ...(orphan !== undefined && policy !== undefined ? [bothPolicies(policy)] : []),
    ...(policy !== undefined && !isPropagation(policy)
      ? [notSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan"])]
      : []),
    ...(dryRun.some((value) => value !== "All") ? [notSupported("dryRun", dryRun, ["All"])] : []),
  ];
  if (errors.length > 0)
    throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions", name: "", errors });
  const grace = body.gracePeriodSeconds ?? undefined;
  const { uid, resourceVersion } = body.preconditions ?? {};
  return {
    isDryRun: dryRun.length > 0 || request.query.has("dryRun"),
    ...(grace !== undefined && { graceSeconds: grace }),
    ...(policy !== undefined && { propagation: policy as "Orphan" }),
    ...(orphan !== undefined && { orphanDependents: orphan }),
    ...(uid && { ifUid: uid }),
    ...(resourceVersion && { ifResourceVersion: resourceVersion }),
  };
}

function bothPolicies(policy: string): ReturnType<typeof notSupported> {
  return {
    type: "Invalid",
    field: "propagationPolicy",
    badValue: policy,
    detail: "orphanDependents and deletionPropagation cannot be both set",
  };
}

function isPropagation(policy: string): boolean {
  return policy === "Orphan" || policy === "Background" || policy === "Foreground";
}

function optionsOfQuery(query: URLSearchParams): DeleteOptionsBody {
  if (query.size === 0) return {};
  const grace = integer(query, "gracePeriodSeconds");
  const orphan = query.get("orphanDependents");
  return {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    propagationPolicy: query.get("propagationPolicy"),
    ...(orphan !== null && { orphanDependents: orphan !== "false" && orphan !== "0" }),
    dryRun: query.getAll("dryRun"),
  };
}

/** A delete may ask for a dry run in its body. */
function dryRunOf(call: ApiCall, { isDryRun }: RequestedDeletion): ApiCall {
  return isDryRun === call.isDryRun ? call : call.withFlags({ ...call.flags, isDryRun });
}
