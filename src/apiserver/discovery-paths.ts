import { methodNotAllowed, unknownPath } from "../api/machinery/routing-errors.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { Resource, Verb } from "../api/machinery/resource.ts";
import type { ApiResponse } from "./api-response.ts";
import type { ByteSource } from "../wire/http/byte-source.ts";
import type { Document } from "./discovery/document.ts";
import { discoveryDocument } from "./discovery/discovery.ts";
import type { ExtraSubresource, ServedApi } from "./discovery/source.ts";
import type { ServerParts } from "./parts.ts";
import type { PathTable } from "./path-table.ts";
import type { ApiRequest } from "./request.ts";
import type { SubresourceHandler } from "./subresources/subresource.ts";

/** Makes OpenAPI documents. It may keep them for as long as it is handed the same api. */
export interface DescribesApi {
  document(api: ServedApi, path: string, accept: string): Promise<Document | undefined>;
}

/** Documents kept per state of the catalog: some paths times some `Accept` headers. */
const KEPT_MAX = 512;

/** What the server serves now, as discovery and OpenAPI want to know it. */
export function servedApi(parts: ServerParts): ServedApi {
  const served = parts.resources.all();
  const subresources = parts.subresources.all().flatMap((handler): ExtraSubresource[] => {
    const { group, plural, subresource, kind } = handler;
    return served
      .filter((other) => other.hub.kind.group === group && other.kind.plural === plural)
      .map((parent) => ({
        group: parent.kind.group,
        version: parent.kind.version,
        plural,
        name: subresource,
        isNamespaced: parent.kind.isNamespaced,
        kind,
        verbs: verbsOf(handler),
      }));
  });
  const resources = served.map(({ resource, kind, older }): Resource =>
    older ? olderResource(resource, kind) : resource,
  );
  return { resources, subresources };
}

/** Without the words that stand for several kinds or none: `kubectl get all` must not show an object once per version. */
function olderResource(resource: Resource, kind: Kind): Resource {
  const { shortNames, categories, ...rest } = resource;
  void shortNames;
  void categories;
  return { ...rest, kind };
}

/** `/api`, `/apis` and below, made once per state of the catalog. `serverAddress`: for clients outside of it. */
export function addDiscoveryPaths(
  paths: PathTable,
  parts: ServerParts,
  serverAddress: string,
  openApi: DescribesApi | undefined,
): void {
  const documents = new Map<string, Document | undefined>();
  let api: ServedApi | undefined;
  const current = (): ServedApi => (api ??= servedApi(parts));
  parts.resources.onChange(() => {
    documents.clear();
    api = undefined;
  });
  const answer = (request: ApiRequest): ApiResponse => {
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    const accept = request.headers["accept"] ?? "";
    const key = `${request.path}\n${accept}`;
    let document = documents.get(key);
    if (!document) {
      document = discoveryDocument(current(), request.path, accept, serverAddress);
      if (documents.size < KEPT_MAX) documents.set(key, document);
    }
    if (!document) throw unknownPath();
    return documentResponse(request, document);
  };
  paths.add("/api/*", answer);
  paths.add("/apis/*", answer);
  if (!openApi) return;
  const describe = async (request: ApiRequest): Promise<ApiResponse> => {
    const { path, headers } = request;
    const document = await openApi.document(current(), path, headers["accept"] ?? "");
    if (!document) throw unknownPath();
    return documentResponse(request, document);
  };
  paths.add("/openapi/v2", describe);
  paths.add("/openapi/v3/*", describe);
}

/** A document, or 304 when the client has it. */
export function documentResponse(request: ApiRequest, document: Document): ApiResponse {
  const headers = {
    "content-type": document.contentType,
    etag: document.etag,
    vary: "Accept",
    "cache-control": "public",
  };
  return request.headers["if-none-match"] === document.etag
    ? { status: 304, headers, body: Buffer.alloc(0) }
    : { status: 200, headers, body: inPieces(document.body), compression: "whole" };
}

/** Bytes of a document that are handed to the transport at once: encrypting them takes some 0.2 ms. */
const PIECE_BYTES = 256 * 1024;

/** A long body goes out in the turns of whoever sends it. */
function inPieces(body: Buffer): Buffer | ByteSource {
  if (body.length <= PIECE_BYTES) return body;
  let from = 0;
  return {
    read() {
      if (from >= body.length) return null;
      const piece = body.subarray(from, from + PIECE_BYTES);
      from += piece.length;
      return piece;
    },
    onReadable() {},
    close() {
      from = body.length;
    },
  };
}

const METHOD_VERBS: Readonly<Record<string, Verb>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

function verbsOf({ methods }: SubresourceHandler): Verb[] {
  return methods.flatMap((method) => METHOD_VERBS[method] ?? []);
}
