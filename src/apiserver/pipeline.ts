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
import { BodyTooLarge, BodyTooSlow, RequestAborted } from "../wire/http/exchange.ts";
import { turnsOf, type Turns } from "../base/turns.ts";
import { statusResponse, type ApiResponse } from "./api-response.ts";
import { impersonate } from "./authn/impersonation.ts";
import { AuthorizerChain } from "./authz/authorizer-chain.ts";
import { authorize } from "./authorize.ts";
import { answerOverWebsocket, wantsWebsocket, WATCH_PROTOCOLS } from "./connect/websocket-body.ts";
import { watchEndpoint } from "./endpoints/read.ts";
import type { Flow, FlowControl } from "./flowcontrol/flow-control.ts";
import { SeatedBodies } from "./flowcontrol/seated-body.ts";
import { seatsOf } from "./flowcontrol/seats.ts";
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
 * The way of every request: serve → authenticate → wait for a seat → authorize → admit → registry → commit.
 *
 * Serve is here, admit to commit are in `verbs/`. Synchronous for reads: nothing waits, so nothing is awaited.
 */
export class Pipeline {
  readonly #parts: ServerParts;
  readonly #paths: PathTable;
  readonly #metrics: RequestMetrics;
  readonly #flows: FlowControl;
  readonly #seatedBodies: SeatedBodies;
  readonly #turns: Turns;

  constructor(parts: ServerParts, paths: PathTable, metrics: RequestMetrics, flows: FlowControl) {
    this.#parts = parts;
    this.#paths = paths;
    this.#metrics = metrics;
    this.#flows = flows;
    this.#seatedBodies = new SeatedBodies(parts.clock);
    this.#turns = turnsOf(parts.clock);
  }

  /** Answers one request. Never throws and never rejects. */
  handle(request: ApiRequest): ApiResponse | Promise<ApiResponse> {
    const startMs = this.#parts.clock.monotonic();
    let info: RequestInfo | undefined;
    try {
      info = infoOf(request);
      const answer = this.#answer(request, info, startMs);
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
      if (info.verb === "watch" && info.subresource === "" && wantsWebsocket(request))
        return await answerOverWebsocket(WATCH_PROTOCOLS, request, socket, head, () =>
          watchEndpoint(this.#parts, call, request),
        );
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

  #answer(
    request: ApiRequest,
    info: RequestInfo,
    startMs: number,
  ): ApiResponse | Promise<ApiResponse> {
    const user = this.authenticate(request);
    if (user instanceof Promise)
      return user.then((known) => this.#serve(request, info, known, startMs));
    return this.#serve(request, info, user, startMs);
  }

  #serve(
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
    startMs: number,
  ): ApiResponse | Promise<ApiResponse> {
    const acting = actingUser(this.#parts, request, user);
    const flow = this.#flows.flowOf(acting, info);
    const { isExempt, limits } = flow.level.config;
    const isFree = isExempt || isLongRunning(info);
    const seats = isFree ? 0 : seatsOf(this.#parts.resources, request, info, limits.perRequest);
    if (isFree) {
      const wait = isRead(info) ? undefined : this.#turns.room();
      if (!wait) return this.#execute(request, info, acting, flow, 0);
      return wait.then(() => this.#execute(request, info, acting, flow, 0));
    }
    if (this.#flows.mayRun(flow, seats, startMs))
      return this.#execute(request, info, acting, flow, seats);
    const gated = { user: acting, info, signal: request.signal };
    return this.#flows
      .enqueue(flow, seats, gated, () => this.#execute(request, info, acting, flow, seats))
      .catch((error: unknown) => withHeaders(this.refusal(error), flow));
  }

  /** Runs a request whose turn it is. `seats` 0: it takes none. Never throws and never rejects. */
  #execute(
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
    flow: Flow,
    seats: number,
  ): ApiResponse | Promise<ApiResponse> {
    const beganMs = this.#parts.clock.monotonic();
    flow.counts.dispatched();
    if (seats > 0) flow.counts.estimated(seats);
    try {
      const answer = this.#authorized(request, info, user);
      if (!(answer instanceof Promise))
        return this.#finished(this.#seated(answer, info, flow, seats), flow, beganMs);
      if (seats > 0) this.#flows.hold(flow, seats);
      return answer
        .catch((error: unknown) => this.refusal(error))
        .then((response) => {
          const seated = this.#seated(response, info, flow, seats);
          if (seats > 0) this.#flows.release(flow, seats);
          return this.#finished(seated, flow, beganMs);
        });
    } catch (error) {
      return this.#finished(this.refusal(error), flow, beganMs);
    }
  }

  #finished(response: ApiResponse, flow: Flow, beganMs: number): ApiResponse {
    flow.counts.executed((this.#parts.clock.monotonic() - beganMs) / 1000);
    return withHeaders(response, flow);
  }

  #authorized(
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
  ): ApiResponse | Promise<ApiResponse> {
    authorize(this.#parts, user, info);
    if (info.isResource) return serveResource(this.#parts, request, info, user);
    const handler = this.#paths.find(info.path);
    if (!handler) throw unknownPath();
    return handler(request, user);
  }

  /** A long list keeps its seats while it is read; a watch gives them back when it has begun. */
  #seated(response: ApiResponse, info: RequestInfo, flow: Flow, seats: number): ApiResponse {
    const { body } = response;
    if (Buffer.isBuffer(body) || !(info.verb === "list" || info.verb === "deletecollection"))
      return response;
    const flows = this.#flows;
    const hold = (): void => void (seats > 0 && flows.hold(flow, seats));
    const release = (): void => void (seats > 0 && flows.release(flow, seats));
    hold();
    return { ...response, body: this.#seatedBodies.seated(body, { hold, release }) };
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
    if (error instanceof BodyTooSlow)
      return timeout("request did not complete within the allotted timeout");
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
  let isOther = false;
  for (const name in headers) if (name.startsWith("impersonate-")) isOther = true;
  return isOther ? impersonate(user, headers, new AuthorizerChain(parts.authorizers)) : user;
}

/** @spec k8s@1.36 cmd/kube-apiserver LongRunningRequestCheck: subresources */
const LONG_RUNNING: ReadonlySet<string> = new Set([
  "attach",
  "exec",
  "log",
  "portforward",
  "proxy",
]);

/** Requests that last as long as the client likes, watches aside: they wait for nobody and take no seat. */
function isLongRunning({ verb, subresource }: RequestInfo): boolean {
  return verb === "proxy" || (subresource !== "" && LONG_RUNNING.has(subresource));
}

/** What is answered at once, in a fraction of what a write takes, or begins a list or watch that has slices of its own. */
function isRead({ verb }: RequestInfo): boolean {
  return verb === "get" || verb === "list" || verb === "watch";
}

/** The answer, with the headers that tell its flow. */
function withHeaders({ status, headers, body, compression }: ApiResponse, flow: Flow): ApiResponse {
  const moreHeaders = flow.headers;
  return compression
    ? { status, headers, body, compression, moreHeaders }
    : { status, headers, body, moreHeaders };
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
