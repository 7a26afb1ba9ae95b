import { methodNotAllowed, unknownPath } from "../api/machinery/routing-errors.ts";
import { ApiCall, NO_FLAGS, type WriteFlags } from "./api-call.ts";
import type { ApiResponse } from "./api-response.ts";
import {
  fieldManagerOf,
  parseWriteOptions,
  type WriteKind,
} from "../api/machinery/write-options.ts";
import { isApplyPatch } from "./endpoints/apply.ts";
import { getEndpoint, listEndpoint, watchEndpoint } from "./endpoints/read.ts";
import { subresourceEndpoint } from "./endpoints/subresources.ts";
import {
  createEndpoint,
  deleteCollectionEndpoint,
  deleteEndpoint,
  patchEndpoint,
  updateEndpoint,
} from "./endpoints/write.ts";
import type { ServerParts } from "./parts.ts";
import { WarnedError } from "./warned-error.ts";
import type { ApiRequest, RequestInfo, UserInfo } from "./request.ts";
import { allows } from "./resource-table.ts";

/** The options that each writing verb takes, as its errors name them. */
const OPTIONS_KINDS: Readonly<Record<string, WriteKind>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};

/**
 * Answers an authorized request on a resource.
 *
 * @throws {StatusError} NotFound: no such resource. MethodNotAllowed. Whatever the verb says.
 */
export function serveResource(
  parts: ServerParts,
  request: ApiRequest,
  info: RequestInfo,
  user: UserInfo,
): ApiResponse | Promise<ApiResponse> {
  const call = resourceCall(parts, request, info, user);
  // Mostly a reading says nothing beside its answer, and is not held up by asking.
  if (info.verb in READS && call.warnings.length === 0)
    return serveCall(parts, call, request, info);
  try {
    const answer = serveCall(parts, call, request, info);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      throw warned(error, call);
    });
  } catch (error) {
    throw warned(error, call);
  }
}

const READS: Readonly<Record<string, true>> = { get: true, list: true, watch: true };

/** What was said before a request was refused is told with the refusal. @spec k8s@1.36 apiserver endpoints AddWarningsHandler */
function warned(error: unknown, { warnings }: ApiCall): unknown {
  return warnings.length === 0 ? error : new WarnedError(error, warnings);
}

function serveCall(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
  info: RequestInfo,
): ApiResponse | Promise<ApiResponse> {
  const { kind, resource } = call;
  if (info.subresource !== "") return subresourceEndpoint(parts, call, request);
  const needsNamespace = kind.isNamespaced && info.namespace === "";
  if (needsNamespace && info.verb !== "list" && info.verb !== "watch") throw methodNotAllowed();
  if (!allows(resource, info.verb)) throw methodNotAllowed();
  return serveVerb(parts, call, request);
}

/** The call that a request on a resource is. @throws {StatusError} NotFound: no such resource. Invalid: its options. */
export function resourceCall(
  parts: ServerParts,
  request: ApiRequest,
  info: RequestInfo,
  user: UserInfo,
): ApiCall {
  const served = parts.resources.find(info.group, info.version, info.plural);
  if (!served) throw unknownPath();
  const { kind } = served;
  // The query of a proxied request is for who is behind the proxy.
  const optionsKind = info.subresource === "proxy" ? undefined : OPTIONS_KINDS[info.verb];
  const flags = optionsKind ? writeFlags(request, optionsKind) : NO_FLAGS;
  // A cluster-scoped resource below a namespace does not exist, or rights in the namespace would be rights to it; but the
  // namespace itself is authorized as its own part. @spec CVE-2019-11247
  const isItself = info.plural === "namespaces" && info.name === info.namespace;
  const isOutside = !kind.isNamespaced && info.namespace !== "" && !isItself;
  if (isOutside) throw unknownPath();
  const scoped = kind.isNamespaced || info.namespace === "" ? info : { ...info, namespace: "" };
  // Behind authorization everything is about the hub.
  const { group, version } = served.hub.kind;
  const known = served.older ? { ...scoped, group, version } : scoped;
  const call = new ApiCall(known, user, served, flags, () => request.signal);
  if (served.deprecation !== undefined) call.warn(served.deprecation);
  return call;
}

function writeFlags(request: ApiRequest, kind: WriteKind): WriteFlags {
  const isApply = kind === "PatchOptions" && isApplyPatch(request);
  const options = parseWriteOptions(request.query, kind, isApply);
  const fieldManager = fieldManagerOf(options.fieldManager, request.headers["user-agent"]);
  return { ...options, fieldManager };
}

function serveVerb(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): ApiResponse | Promise<ApiResponse> {
  switch (call.info.verb) {
    case "get":
      return getEndpoint(parts, call, request);
    case "list":
      return listEndpoint(parts, call, request);
    case "watch":
      return watchEndpoint(parts, call, request);
    case "create":
      return createEndpoint(parts, call, request);
    case "update":
      return updateEndpoint(parts, call, request);
    case "patch":
      return patchEndpoint(parts, call, request);
    case "delete":
      return deleteEndpoint(parts, call, request);
    case "deletecollection":
      return deleteCollectionEndpoint(parts, call, request);
    default:
      throw methodNotAllowed();
  }
}
