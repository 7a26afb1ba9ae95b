import type { Readable } from "node:stream";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Resource } from "../api/machinery/resource.ts";

/**
 * One call as it came in, free of its transport. HTTP/2, HTTP/1.1 and the in-process client all make one.
 */
export interface ApiRequest {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The query as it was sent, without its `?`. Absent: there was no text, only `query`. */
  readonly queryText?: string;
  /** At most BODY_BYTES_MAX; throws `StatusError` RequestEntityTooLarge. */
  body(): Promise<Buffer>;
  /** The body as it comes and without a limit, for those who pass it on. Instead of `body`; `undefined`: it has none. */
  bodyStream?(): Readable | undefined;
  readonly remoteAddress: string;
  /** The same for all requests of one connection, to remember by what they have in common. */
  readonly connection?: object;
  /** Of a client certificate that the cluster's CA signed and that is valid now. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** What the path, method and query ask for. @spec k8s@1.36 apiserver pkg/endpoints/request/requestinfo.go */
export interface RequestInfo {
  readonly isResource: boolean;
  /** `get list watch create update patch delete deletecollection`, or the lower-case method for other paths; `connect`s are `create`/`get` by method. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  /** `pods` */
  readonly plural: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What follows `/proxy` and the like. */
  readonly tail: string;
}

/** Who asks. @spec k8s@1.36 apiserver pkg/authentication/user */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** A call on a known resource, after authentication: what authorizers, admission and verbs see. */
export interface ResourceCall {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly resource: Resource;
  readonly kind: Kind;
  readonly isDryRun: boolean;
  /** Adds a `Warning: 299` header to the answer; repeated texts are sent once. */
  warn(text: string): void;
  readonly signal: AbortSignal;
}

/** What an admission plugin sees: `object` absent on delete, `old` absent on create. */
export interface AdmissionCall extends ResourceCall {
  /** The one that the client speaks: `v1beta1`. Everything else is about the hub. */
  readonly version: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly object?: KubeObject;
  readonly old?: KubeObject;
}
