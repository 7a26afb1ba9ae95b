import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";

/**
 * The typed API client. Two transports carry it: HTTPS, and the calls of the API server's own handlers in one process.
 *
 * Objects that come back may be shared with the server's cache: never change them.
 * @throws {StatusError} every refusal of the server. {Unreachable} it was not reached, or its answer was lost.
 */
export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, key: KeyArgument): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<List<T>>;
  /** Ends with a `StatusError` "Expired" when `resourceVersion` is too old. */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  patch<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T>;
  /** The object that was deleted or is now being deleted; its resourceVersion is the deletion's. */
  delete<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyArgument,
    options?: DeleteOptions,
  ): Promise<T>;
  /** POST to a named subresource (`binding`, `eviction`, `token`). */
  createSubresource<R extends KubeObject>(
    kind: Kind,
    key: KeyArgument,
    subresource: string,
    body: KubeObject,
  ): Promise<R>;
}

export interface KeyArgument {
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface List<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export interface WatchOptions extends Omit<ListOptions, "limit" | "continue"> {
  /** Asks for bookmarks. */
  readonly bookmarks?: boolean;
  readonly signal?: AbortSignal;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface WriteOptions {
  readonly subresource?:
    "status" | "scale" | "finalize" | "ephemeralcontainers" | "resize" | "approval";
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface Patch {
  readonly type: "json" | "merge" | "strategic" | "apply";
  readonly body: unknown;
  /** For `apply`: take over fields of other managers. */
  readonly isForced?: boolean;
}

export interface DeleteOptions {
  readonly graceSeconds?: number;
  readonly propagation?: "Orphan" | "Background" | "Foreground";
  readonly ifUid?: string;
  readonly ifResourceVersion?: string;
}
