import { methodNotAllowed, unknownPath } from "../api/machinery/routing-errors.ts";
import type { Resource } from "../api/machinery/resource.ts";
import type { ApiResponse } from "./api-response.ts";
import { discoveryDocument } from "./discovery/discovery.ts";
import type { Document } from "./discovery/document.ts";
import type { ExtraSubresource, ServedApi } from "./discovery/source.ts";
import type { OpenApi } from "./openapi/openapi.ts";
import type { PathHandler } from "./path-table.ts";
import type { ApiRequest } from "./request.ts";
import type { SubresourceHandler } from "./subresources/subresource.ts";

/** Documents kept: some 30 paths in the two or three forms that clients ask for. */
const KEPT_MAX = 256;

/** What discovery says of the server: its resources, and the subresources that handlers answer. */
export function servedApi(
  resources: readonly Resource[],
  handlers: readonly SubresourceHandler[],
): ServedApi {
  return { resources, subresources: handlers.map((handler) => extraOf(handler, resources)) };
}

/** Handlers of `/api`, `/apis`, `/openapi/v2` and `/openapi/v3`. `serverAddress`: HOST:PORT, for old clients. */
export function discoveryPaths(
  api: ServedApi,
  openApi: OpenApi,
  serverAddress: string,
): Readonly<Record<string, PathHandler>> {
  const kept = new Map<string, Document | undefined>();
  const serve =
    (make: (path: string, accept: string) => Document | undefined): PathHandler =>
    (request) => {
      if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
      const accept = request.headers["accept"] ?? "";
      const key = `${request.path} ${accept}`;
      if (!kept.has(key)) {
        if (kept.size >= KEPT_MAX) kept.clear();
        kept.set(key, make(request.path, accept));
      }
      const document = kept.get(key);
      if (!document) throw unknownPath();
      return documentResponse(document, request);
    };
  const discovery = serve((path, accept) => discoveryDocument(api, path, accept, serverAddress));
  const openapi = serve((path, accept) => openApi.document(api, path, accept));
  return {
    "/api/*": discovery,
    "/apis/*": discovery,
    "/openapi/v2": openapi,
    "/openapi/v3/*": openapi,
  };
}

/** 304 when the client has it already. @spec RFC 9110 13.1.2 */
function documentResponse(document: Document, request: ApiRequest): ApiResponse {
  const { contentType, body, etag } = document;
  const headers = { "content-type": contentType, etag, vary: "Accept", "cache-control": "public" };
  const isKnown = request.headers["if-none-match"] === etag;
  return isKnown ? { status: 304, headers, body: Buffer.alloc(0) } : { status: 200, headers, body };
}

const VERBS: Readonly<Record<string, "get" | "create" | "update" | "patch" | "delete">> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

function extraOf(handler: SubresourceHandler, resources: readonly Resource[]): ExtraSubresource {
  const { group, plural, subresource, kind, methods } = handler;
  const parent = resources.find((row) => row.kind.group === group && row.kind.plural === plural);
  return {
    group,
    version: parent?.kind.version ?? "v1",
    plural,
    name: subresource,
    isNamespaced: parent?.kind.isNamespaced ?? true,
    kind,
    verbs: methods.flatMap((method) => VERBS[method] ?? []),
  };
}
