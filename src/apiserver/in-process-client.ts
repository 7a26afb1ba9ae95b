import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import { StatusError, type Status } from "../api/machinery/status-error.ts";
import { parseListOptions } from "../api/machinery/list-options.ts";
import { badRequest, tooOldResourceVersion } from "../api/machinery/status-errors.ts";
import { methodNotAllowed, unknownPath } from "../api/machinery/routing-errors.ts";
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
} from "../client/client.ts";
import { turnsOf } from "../base/turns.ts";
import { ApiCall, type WriteFlags } from "./api-call.ts";
import { authorize } from "./authorize.ts";
import { conformed } from "./bodies/decode.ts";
import type { ServerParts } from "./parts.ts";
import { EventReader } from "./registry/event-reader.ts";
import { shown } from "./registry/face.ts";
import type { Watcher } from "./registry/resource-watchers.ts";
import { predicateOf } from "./registry/selection.ts";
import { allows } from "./resource-table.ts";
import type { ApiRequest, RequestInfo, UserInfo } from "./request.ts";
import { applyObject } from "./verbs/apply.ts";
import { createObject } from "./verbs/create.ts";
import { deleteObject } from "./verbs/delete.ts";
import { getObject } from "./verbs/get.ts";
import { listObjects } from "./verbs/list.ts";
import { patchObject } from "./verbs/patch.ts";
import { updateObject, type ChangeRules } from "./verbs/update.ts";

/**
 * A `Client` of the server in the same process, as `user`: the same authorization, admission, validation and commit as over
 * HTTP, but no sockets and no JSON. Objects are the cache's own: never change them. Older apiVersions are not spoken here.
 *
 * `program`: who is recorded as the manager of what is written, where a write names nobody; over HTTP that is the first
 * word of the user agent.
 */
export function inProcessClient(
  parts: ServerParts,
  user: UserInfo,
  program: string = PROGRAM,
): Client {
  return new InProcessClient(parts, user, program);
}

/** Objects of a list handed out between two looks at the clock. */
const LIST_STEP = 256;
/** What the API server's own writes are recorded as. @spec k8s@1.36 user agent of the loopback client */
const PROGRAM = "kube-apiserver";

const NOWHERE: KeyArgument = { name: "" };
const neverAborts = new AbortController().signal;

class InProcessClient implements Client {
  readonly #parts: ServerParts;
  readonly #user: UserInfo;
  readonly #program: string;

  constructor(parts: ServerParts, user: UserInfo, program: string) {
    this.#parts = parts;
    this.#user = user;
    this.#program = program;
  }

  async get<T extends KubeObject>(kind: Kind<T>, key: KeyArgument): Promise<T> {
    return getObject(this.#call(kind, "get", key)).object as T;
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<List<T>> {
    const call = this.#call(kind, "list", { ...NOWHERE, ...placeOf(options.namespace) });
    const page = await listObjects(this.#parts, call, parseListOptions(queryOf(options)));
    const items: T[] = [];
    const slice = turnsOf(this.#parts.clock).slice();
    while (!page.cursor.isDone) {
      for (const version of page.cursor.next(LIST_STEP)) items.push(version.object as T);
      if (slice.isOver) await slice.next();
    }
    return {
      items,
      resourceVersion: String(page.revision),
      ...(page.continue !== undefined && { continue: page.continue }),
    };
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>> {
    const call = this.#call(kind, "watch", { ...NOWHERE, ...placeOf(options.namespace) });
    const { signal } = options;
    const parsed = parseListOptions(queryOf(options), true);
    const { namespace } = call.info;
    const predicate = predicateOf(call.resource, { ...parsed, namespace });
    const { cache } = call.served;
    const from = parsed.resourceVersion ?? 0;
    if (from > 0 && from < cache.events.floor)
      throw tooOldResourceVersion(from, cache.events.floor);
    const reader =
      from > 0
        ? EventReader.after(cache, predicate, from)
        : EventReader.fromPresent(cache, predicate);
    let wake: () => void = () => {};
    const onWake = (): void => wake();
    const watcher: Watcher = {
      wake: (first) => {
        reader.wakeAt(first);
        wake();
      },
    };
    cache.watchers.add(watcher, reader.trigger);
    signal?.addEventListener("abort", onWake);
    try {
      while (!signal?.aborted) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const reading = reader.read();
        if (reader.isCaughtUp && !reader.trigger) cache.watchers.sleep(watcher);
        if (reading.kind === "too-old") throw tooOldResourceVersion(from, cache.events.floor);
        if (reading.kind === "idle") await woken;
        if (reading.kind !== "events") continue;
        for (const { type, version, revision } of reading.events) {
          const face = shown(call.served, version);
          const seen = revision === face.revision ? face : face.at(revision);
          yield { type, object: seen.object as T };
        }
      }
    } finally {
      cache.watchers.remove(watcher, reader.trigger);
      signal?.removeEventListener("abort", onWake);
    }
  }

  async create<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { name = "", namespace } = object.metadata ?? {};
    const call = this.#call(kind, "create", { name, ...placeOf(namespace) }, options);
    const body = conformed(this.#parts, call, call.served, object);
    const review = this.#parts.reviews.get(`${kind.group}/${kind.plural}`);
    if (review) return (await review.review(call, body)) as T;
    return (await createObject(this.#parts, call, body)).object as T;
  }

  async update<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { name = "", namespace } = object.metadata ?? {};
    const call = this.#call(kind, "update", { name, ...placeOf(namespace) }, options);
    const body = conformed(this.#parts, call, call.served, object);
    const rules = rulesOf(this.#parts, call);
    const { version } = await updateObject(this.#parts, call, {
      wanted: () => body,
      ...(rules && { rules }),
    });
    return version.object as T;
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.update(kind, object, { subresource: "status" });
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const call = this.#call(kind, "patch", key, options);
    const rules = rulesOf(this.#parts, call);
    if (patch.type === "apply") {
      const config = patch.body as KubeObject;
      const isForced = patch.isForced ?? false;
      const { version } = await applyObject(this.#parts, call, { config, isForced }, rules);
      return version.object as T;
    }
    const version = await patchObject(this.#parts, call, patch.type, patch.body, rules);
    return version.object as T;
  }

  async delete<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    options: DeleteOptions = {},
  ): Promise<T> {
    const call = this.#call(kind, "delete", key);
    return (await deleteObject(this.#parts, call, options)).version.object as T;
  }

  async createSubresource<R extends KubeObject>(
    kind: Kind,
    key: KeyArgument,
    subresource: string,
    body: KubeObject,
  ): Promise<R> {
    const call = this.#call(kind, "create", key, {}, subresource);
    const handler = this.#parts.subresources.find(kind.group, kind.plural, subresource);
    if (!handler) throw unknownPath();
    if (handler.post) return (await handler.post(this.#parts, call, body)) as R;
    const response = await handler.handle(this.#parts, call, requestWith(call.info, body));
    if (!Buffer.isBuffer(response.body)) throw badRequest(`${subresource} answers with a stream`);
    const answer = JSON.parse(response.body.toString()) as R | Status;
    if (response.status >= 400) throw new StatusError(answer as Status);
    return answer as R;
  }

  /** The call, authorized. @throws {StatusError} NotFound, MethodNotAllowed, Forbidden */
  #call(
    kind: Kind,
    verb: string,
    key: KeyArgument,
    options: WriteOptions = {},
    subresource = options.subresource ?? "",
  ): ApiCall {
    const { group, version, plural } = kind;
    const namespace = kind.isNamespaced ? (key.namespace ?? "") : "";
    const name = verb === "create" && subresource === "" ? "" : key.name;
    const info: RequestInfo = {
      isResource: true,
      verb,
      path: "",
      group,
      version,
      plural,
      subresource,
      namespace,
      name,
      tail: "",
    };
    authorize(this.#parts, this.#user, info);
    const served = this.#parts.resources.find(group, version, plural);
    if (!served || served.older) throw unknownPath();
    if (subresource === "" && !allows(served.resource, verb)) throw methodNotAllowed();
    const flags = flagsOf(options, this.#program);
    return new ApiCall(info, this.#user, served, flags, () => neverAborts);
  }
}

/** The parameters as they would stand in a URL: one parser for both ways in. */
function queryOf(options: ListOptions): URLSearchParams {
  const query = new URLSearchParams();
  const names = ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion"] as const;
  for (const name of names) if (options[name] !== undefined) query.set(name, String(options[name]));
  return query;
}

function flagsOf({ dryRun = false, fieldManager }: WriteOptions, program: string): WriteFlags {
  return { isDryRun: dryRun, fieldManager: fieldManager ?? program, fieldValidation: "Ignore" };
}

function placeOf(namespace: string | undefined): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

/** The rules of the subresource that a write goes to. @throws {StatusError} NotFound: the kind has no such one */
function rulesOf(parts: ServerParts, call: ApiCall): ChangeRules | undefined {
  const { group, plural, subresource } = call.info;
  if (subresource === "") return undefined;
  const rules =
    subresource === "status"
      ? call.resource.subresources?.status
      : parts.subresources.find(group, plural, subresource)?.rules;
  if (!rules) throw unknownPath();
  return rules;
}

/** A request that carries `body`, for handlers that read one. */
function requestWith(info: RequestInfo, body: KubeObject): ApiRequest {
  const apiVersion = apiVersionOf(info);
  const place = info.namespace === "" ? "" : `/namespaces/${info.namespace}`;
  return {
    method: "POST",
    path: `/apis/${apiVersion}${place}/${info.plural}/${info.name}/${info.subresource}`,
    query: new URLSearchParams(),
    headers: { "content-type": "application/json" },
    body: () => Promise.resolve(Buffer.from(JSON.stringify(body))),
    remoteAddress: "",
    signal: neverAborts,
  };
}
