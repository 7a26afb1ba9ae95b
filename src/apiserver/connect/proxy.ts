import { Readable } from "node:stream";
import { badRequest, serviceUnavailable } from "../../api/machinery/status-errors.ts";
import type { Backends, BackendResponse } from "../../wire/http-proxy/backend.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import type { SubresourceHandler } from "../subresources/subresource.ts";
import { validateAdmission } from "../verbs/admit.ts";
import { rewriteHtml } from "./html-links.ts";
import { Lookup } from "./lookup.ts";
import { forwardedHeaders, passUpgrade, upgradeHeaders } from "./passing-on.ts";
import {
  backendPath,
  encodePath,
  proxyPrefix,
  rewriteLink,
  type LinkContext,
} from "./proxy-path.ts";
import {
  nodeTarget,
  podTarget,
  serviceTarget,
  type ProxyTarget,
  type TargetSources,
} from "./proxy-target.ts";

/** Clients of what is behind the proxies. */
export interface ProxyBackends {
  readonly kubelets: Backends;
  /** Of pods, services and other ports of nodes: no certificate of ours, none of theirs verified, as upstream. */
  readonly others: Backends;
  readonly isReachable: (address: string) => boolean;
}

interface ProxiedKind {
  readonly plural: string;
  readonly options: string;
  target(sources: TargetSources, namespace: string, id: string): ProxyTarget;
}

const PROXIED: readonly ProxiedKind[] = [
  { plural: "pods", options: "PodProxyOptions", target: podTarget },
  { plural: "services", options: "ServiceProxyOptions", target: serviceTarget },
  {
    plural: "nodes",
    options: "NodeProxyOptions",
    target: (sources, _namespace, id) => nodeTarget(sources, id),
  },
];

/** The methods that a proxy takes. @spec k8s@1.36 registry/core/pod/rest/subresources.go proxyMethods */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/** What pages of a backend must not decide: who else may read what the API server answers. */
const CORS = /^access-control-allow-(credentials|headers|methods|origin)$/;

/**
 * `proxy` of pods, services and nodes: any request, passed on to an address of the cluster.
 *
 * @spec k8s@1.36 apimachinery util/proxy/upgradeaware.go UpgradeAwareHandler
 */
export function proxies(backends: ProxyBackends): readonly SubresourceHandler[] {
  return PROXIED.map((proxied) => ({
    group: "",
    plural: proxied.plural,
    subresource: "proxy",
    methods: METHODS,
    kind: { group: "", version: "v1", kind: proxied.options },
    handle: (parts, call, request) => serveProxy(proxied, backends, parts, call, request),
    upgrade: (parts, call, request, socket, head) => {
      if (!METHODS.includes(request.method)) throw badRequest("this method does not upgrade");
      const passage = passageOf(proxied, backends, parts, call, request);
      return passUpgrade(passage, request, upgradeHeaders(request), socket, head);
    },
  }));
}

interface Passage extends ProxyTarget {
  readonly backends: Backends;
  /** Decoded; "" when the request names none. */
  readonly tail: string;
  /** Encoded, with the query. */
  readonly path: string;
  readonly clock: ServerParts["clock"];
}

/** Where the request goes. @throws {StatusError} */
function passageOf(
  { target, options: kind }: ProxiedKind,
  { kubelets, others, isReachable }: ProxyBackends,
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Passage {
  const { info } = call;
  const tail = backendPath(info.tail, info.path);
  const options = { apiVersion: "v1", kind, ...(tail !== "" && { path: tail }) };
  validateAdmission(parts, call, "CONNECT", options, undefined);
  const sources = { lookup: new Lookup(parts), random: parts.random, isReachable };
  const found = target(sources, info.namespace, info.name);
  const path = (tail === "" ? "/" : encodePath(tail)) + queryOf(request);
  const backends = found.isKubelet ? kubelets : others;
  return { ...found, backends, tail, path, clock: parts.clock };
}

async function serveProxy(
  proxied: ProxiedKind,
  backends: ProxyBackends,
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const passage = passageOf(proxied, backends, parts, call, request);
  const { method, signal } = request;
  if (passage.tail === "" && (method === "GET" || method === "HEAD")) return toRoot(request);
  const links = linksOf(passage, call, request);
  const headers = forwardedHeaders(request);
  // Pages are rewritten, which compressed ones cannot be.
  delete headers["accept-encoding"];
  headers["x-forwarded-uri"] = links.prefix + (passage.path.split("?")[0] ?? "");
  const body = await bodyOf(request);
  if (!body) delete headers["content-length"];
  const answer = await passage.backends
    .request(passage.address, { method, path: passage.path, headers, body, signal })
    .catch((error: Error) => {
      throw serviceUnavailable(`error trying to reach service: ${error.message}`);
    });
  return answerOf(answer, links, method === "HEAD");
}

/** As it comes, where the transport can; `undefined`: there is none. */
async function bodyOf(request: ApiRequest): Promise<Readable | undefined> {
  if (request.bodyStream) return request.bodyStream();
  const bytes = await request.body();
  return bytes.length > 0 ? Readable.from([bytes]) : undefined;
}

/** Relative links of the first page need the slash. @spec apimachinery util/proxy proxyRedirectsforRootPath */
function toRoot(request: ApiRequest): ApiResponse {
  const location = `${request.path}/${queryOf(request)}`;
  return { status: 301, headers: { location }, body: Buffer.alloc(0) };
}

function answerOf(
  { status, headers, body }: BackendResponse,
  links: LinkContext,
  isHead: boolean,
): ApiResponse {
  const rewrite = (link: string): string => rewriteLink(link, links);
  const answered = { ...headers };
  for (const name of Object.keys(answered)) if (CORS.test(name)) delete answered[name];
  const { location } = answered;
  if (typeof location === "string" && location !== "") answered["location"] = rewrite(location);
  if (!isHead && (status === 204 || status === 304)) {
    body.close();
    return { status, headers: answered, body: Buffer.alloc(0) };
  }
  const isPage = /^\s*text\/html\s*(;|$)/.test(String(answered["content-type"] ?? ""));
  if (!isPage || location || isHead || answered["content-encoding"] !== undefined)
    return { status, headers: answered, body };
  delete answered["content-length"];
  return { status, headers: answered, body: rewriteHtml(body, rewrite) };
}

function linksOf({ address }: Passage, { info }: ApiCall, request: ApiRequest): LinkContext {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return {
    prefix: encodePath(proxyPrefix(info.path, info.tail)),
    backend: `${host}:${address.port}`,
    requested: request.headers["host"] ?? request.headers[":authority"] ?? "",
  };
}

function queryOf({ query, queryText }: ApiRequest): string {
  const text = queryText ?? query.toString();
  return text === "" ? "" : `?${text}`;
}
