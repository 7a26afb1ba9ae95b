import type { Duplex } from "node:stream";
import { StatusError } from "../api/machinery/status-error.ts";
import {
  badRequest,
  internalError,
  requestEntityTooLarge,
  insufficientStorage,
  serviceUnavailable,
  timeout,
  unauthorized,
} from "../api/machinery/status-errors.ts";
import { unknownPath } from "../api/machinery/routing-errors.ts";
import { Closed, StoreFull } from "../store/store.ts";
import { BodyTooLarge, RequestAborted } from "../wire/http/exchange.ts";
import { statusResponse, type ApiResponse } from "./api-response.ts";
import { impersonate } from "./authn/impersonation.ts";
import { AuthorizerChain } from "./authz/authorizer-chain.ts";
import { authorize } from "./authorize.ts";
import type { PathTable } from "./path-table.ts";
import type { RequestMetrics } from "./request-metrics.ts";
import type { ServerParts } from "./parts.ts";
import { ANONYMOUS, type ApiRequest, type RequestInfo, type UserInfo } from "./request.ts";
import { decodePath, parseRequestInfo } from "./request-info.ts";
import { WarnedError } from "./warned-error.ts";
import { resourceCall, serveResource } from "./resource-endpoint.ts";

/** Bytes of one request body. @spec k8s@1.36 apiserver server/config.go MaxRequestBodyBytes */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

const UNAUTHENTICATED: UserInfo = ANONYMOUS;

/**
 * The way of every request: serve → authenticate → authorize → admit → registry → commit.
 *
 * Serve is here, admit to commit are in `verbs/`. Synchronous for reads: nothing waits, so nothing is awaited.
 */
export class Pipeline {
  readonly #parts: ServerParts;
  readonly #paths: PathTable;
  readonly #metrics: RequestMetrics;

  constructor(parts: ServerParts, paths: PathTable, metrics: RequestMetrics) {
    this.#parts = parts;
    this.#paths = paths;
    this.#metrics = metrics;
  }

  /** Answers one request. Never throws and never rejects. */
  handle(request: ApiRequest): ApiResponse | Promise<ApiResponse> {
    const startMs = this.#parts.clock.monotonic();
    let info: RequestInfo | undefined;
    try {
      info = infoOf(request);
      const answer = this.#answer(request, info);
      if (!(answer instanceof Promise)) return this.#done(request, info, startMs, answer);
      const known = info;
      return answer
        .catch((error: unknown) => this.refusal(error))
        .then((response) => this.#done(request, known, startMs, response));
    } catch (error) {
      return this.#done(request, info, startMs, this.refusal(error));
    }
  }

  /** An HTTP/1.1 upgrade: the subresource's handler takes the connection over, or there is an ordinary answer. */
  async upgrade(
    request: ApiRequest,
    socket: Duplex,
    head: Buffer,
  ): Promise<ApiResponse | undefined> {
    try {
      const info = infoOf(request);
      const user = actingUser(this.#parts, request, await this.authenticate(request));
      authorize(this.#parts, user, info);
      const call = resourceCall(this.#parts, request, info, user);
      const { group, plural } = call.kind;
      const handler = this.#parts.subresources.find(group, plural, info.subresource);
      if (!handler?.upgrade) throw badRequest("this path does not upgrade");
      return await handler.upgrade(this.#parts, call, request, socket, head);
    } catch (error) {
      return this.refusal(error);
    }
  }

  /** The answer to an error: its own Status, or 500 and a line in the log. */
  refusal(error: unknown): ApiResponse {
    if (!(error instanceof WarnedError)) return statusResponse(this.#statusError(error).status);
    return statusResponse(this.#statusError(error.cause).status, error.warnings);
  }

  /** Who sent `request`. A promise only where an authenticator has to wait. @throws {StatusError} Unauthorized */
  authenticate(request: ApiRequest): UserInfo | Promise<UserInfo> {
    return authenticateFrom(this.#parts, request, 0);
  }

  #answer(request: ApiRequest, info: RequestInfo): ApiResponse | Promise<ApiResponse> {
    const user = this.authenticate(request);
    if (user instanceof Promise) return user.then((known) => this.#serve(request, info, known));
    return this.#serve(request, info, user);
  }

  #serve(
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
  ): ApiResponse | Promise<ApiResponse> {
    const acting = actingUser(this.#parts, request, user);
    authorize(this.#parts, acting, info);
    if (info.isResource) return serveResource(this.#parts, request, info, acting);
    const handler = this.#paths.find(info.path);
    if (!handler) throw unknownPath();
    return handler(request, acting);
  }

  #done(
    request: ApiRequest,
    info: RequestInfo | undefined,
    startMs: number,
    response: ApiResponse,
  ): ApiResponse {
    const elapsedMs = this.#parts.clock.monotonic() - startMs;
    this.#metrics.record(request.method, info, response.status, elapsedMs);
    return response;
  }

  #statusError(error: unknown): StatusError {
    if (error instanceof StatusError) return error;
    if (error instanceof BodyTooLarge) return requestEntityTooLarge(`limit is ${BODY_BYTES_MAX}`);
    if (error instanceof RequestAborted) return timeout("the client went away");
    if (error instanceof Closed) return serviceUnavailable("the server is shutting down");
    if (error instanceof StoreFull)
      return insufficientStorage("the store is full: free disk space, nothing was written");
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#parts.logger.error("a request failed", { error: text });
    return internalError("the server failed to handle the request");
  }
}

/** Who the request acts as: mostly who sent it. @throws {StatusError} Forbidden: may not act as that one */
function actingUser(parts: ServerParts, { headers }: ApiRequest, user: UserInfo): UserInfo {
  const isOther =
    headers["impersonate-user"] !== undefined ||
    headers["impersonate-group"] !== undefined ||
    headers["impersonate-uid"] !== undefined;
  return isOther ? impersonate(user, headers, new AuthorizerChain(parts.authorizers)) : user;
}

/** Parses the path of a request. @throws {StatusError} BadRequest */
export function infoOf(request: ApiRequest): RequestInfo {
  const path = decodePath(request.path);
  if (path === undefined) throw badRequest("the path of the request is malformed");
  return parseRequestInfo(request.method, path, request.query);
}

function authenticateFrom(
  parts: ServerParts,
  request: ApiRequest,
  first: number,
): UserInfo | Promise<UserInfo> {
  const { authenticators } = parts;
  for (let at = first; at < authenticators.length; at++) {
    const user = authenticators[at]!.authenticate(request);
    if (user instanceof Promise)
      return user.then((known) => known ?? authenticateFrom(parts, request, at + 1));
    if (user) return user;
  }
  // A credential that nobody recognised is a wrong one, not none. @spec anonymous.go comes after all others
  if (request.headers["authorization"] !== undefined) throw unauthorized();
  return UNAUTHENTICATED;
}
