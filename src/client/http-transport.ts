import type { HttpClient, HttpRequest, HttpResponse } from "../wire/http-client/http-client.ts";
import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import { keyOf, type KubeObject } from "../api/machinery/object.ts";
import { StatusError, type Status, type StatusReason } from "../api/machinery/status-error.ts";
import type {
  Client,
  DeleteOptions,
  KeyArgument,
  List,
  ListOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./client.ts";
import { collectionPath, listQuery, objectPath, query } from "./resource-path.ts";
import { decodeFrame, linesOf } from "./watch-frames.ts";

/** Until the answer begins. The server gives up after 60 s; a little more lets its own words arrive. */
const TIMEOUT_MS = 65_000;

const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** What carries the requests. */
export type HttpCaller = Pick<HttpClient, "request">;

/** The typed client over HTTPS. See {@link Client}. */
export class HttpTransport implements Client {
  readonly #http: HttpCaller;
  readonly #userAgent: string;

  /** `userAgent`: who calls, as the server's log names it. */
  constructor(http: HttpCaller, userAgent: string) {
    this.#http = http;
    this.#userAgent = userAgent;
  }

  get<T extends KubeObject>(kind: Kind<T>, key: KeyArgument): Promise<T> {
    return this.#call<T>("GET", objectPath(kind, key));
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<List<T>> {
    const path = collectionPath(kind, options.namespace) + query(listQuery(options));
    const { metadata, items } = await this.#call<WireList<T>>("GET", path);
    // Items of a list carry no type on the wire.
    const type = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
    return {
      items: (items ?? []).map((item) => ({ ...type, ...item })),
      resourceVersion: metadata?.resourceVersion ?? "",
      ...(metadata?.continue && { continue: metadata.continue }),
    };
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const parameters = {
      ...listQuery(options),
      watch: true,
      allowWatchBookmarks: options.bookmarks,
    };
    const path = collectionPath(kind, options.namespace) + query(parameters);
    const { signal } = options;
    const response = await this.#send({ method: "GET", path, ...(signal && { signal }) });
    if (response.status !== 200) throw await errorOf(response);
    for await (const line of linesOf(response.chunks())) yield decodeFrame<T>(line);
  }

  create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = collectionPath(kind, keyOf(object).namespace) + query(writeQuery(options));
    return this.#call<T>("POST", path, withType(kind, object));
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(kind, keyOf(object), options.subresource) + query(writeQuery(options));
    return this.#call<T>("PUT", path, withType(kind, object));
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.update(kind, object, { subresource: "status" });
  }

  patch<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    { type, body, isForced }: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const parameters = { ...writeQuery(options), force: isForced };
    const path = objectPath(kind, key, options.subresource) + query(parameters);
    return this.#call<T>("PATCH", path, body, PATCH_TYPES[type]);
  }

  delete<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    options: DeleteOptions = {},
  ): Promise<T> {
    return this.#call<T>("DELETE", objectPath(kind, key), deleteBody(options));
  }

  createSubresource<R extends KubeObject>(
    kind: Kind,
    key: KeyArgument,
    subresource: string,
    body: KubeObject,
  ): Promise<R> {
    return this.#call<R>("POST", objectPath(kind, key, subresource), body);
  }

  async #call<R>(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
  ): Promise<R> {
    const request = { method, path, timeoutMs: TIMEOUT_MS };
    const response = await this.#send(
      body === undefined ? request : { ...request, body: JSON.stringify(body) },
      body === undefined ? {} : { "content-type": contentType },
    );
    if (response.status < 200 || response.status > 299) throw await errorOf(response);
    return JSON.parse((await response.bytes()).toString("utf8")) as R;
  }

  #send(request: HttpRequest, headers: Record<string, string> = {}): Promise<HttpResponse> {
    const all = { accept: "application/json", "user-agent": this.#userAgent, ...headers };
    return this.#http.request({ ...request, headers: all });
  }
}

interface WireList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[];
}

function withType<T extends KubeObject>(kind: Kind<T>, object: T): T {
  return { ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) };
}

function writeQuery({ fieldManager, dryRun }: WriteOptions): Parameters<typeof query>[0] {
  return { fieldManager, dryRun: dryRun ? "All" : undefined };
}

function deleteBody({
  graceSeconds,
  propagation,
  ifUid,
  ifResourceVersion,
}: DeleteOptions): object {
  const preconditions = {
    ...(ifUid && { uid: ifUid }),
    ...(ifResourceVersion && { resourceVersion: ifResourceVersion }),
  };
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
    ...(propagation && { propagationPolicy: propagation }),
    ...(Object.keys(preconditions).length && { preconditions }),
  };
}

/** The server's refusal; one that is no `Status` (a proxy's page) becomes a general one. @spec api/errors NewGenericServerResponse */
async function errorOf(response: HttpResponse): Promise<StatusError> {
  const text = (await response.bytes()).toString("utf8");
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") return new StatusError(status);
  } catch {
    // Falls through: no JSON.
  }
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: text.slice(0, 1000) || `the server answered ${response.status}`,
    reason: REASONS[response.status] ?? "",
    code: response.status,
  });
}

const REASONS: Readonly<Record<number, StatusReason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
