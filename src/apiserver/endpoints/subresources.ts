import { methodNotAllowed, unknownPath } from "../../api/machinery/routing-errors.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import { getEndpoint } from "./read.ts";
import { scaleEndpoint } from "./scale.ts";
import { patchEndpoint, updateEndpoint } from "./write.ts";

/** Answers a request below an object: `status` and `scale` by the kind's own rules, others by their handlers. */
export function subresourceEndpoint(
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): ApiResponse | Promise<ApiResponse> {
  const { subresource } = call.info;
  const { group, plural } = call.kind;
  const { status, scale } = call.resource.subresources ?? {};
  if (subresource === "status" && status) {
    if (request.method === "PUT") return updateEndpoint(parts, call, request, status);
    if (request.method === "PATCH") return patchEndpoint(parts, call, request, status);
    if (call.info.verb === "get") return getEndpoint(parts, call, request);
    throw methodNotAllowed();
  }
  if (subresource === "scale" && scale) return scaleEndpoint(parts, call, request, scale);
  const handler = parts.subresources.find(group, plural, subresource);
  if (!handler) throw unknownPath();
  if (!handler.methods.includes(request.method)) throw methodNotAllowed();
  return handler.handle(parts, call, request);
}
