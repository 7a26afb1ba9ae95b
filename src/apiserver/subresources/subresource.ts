import type { Duplex } from "node:stream";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import type { ChangeRules } from "../verbs/update.ts";

/**
 * Answers one subresource of one resource beyond status and scale (which every kind that has them gets by itself).
 *
 * The call is authenticated and authorized; admission is the handler's business.
 */
export interface SubresourceHandler {
  readonly group: string;
  readonly plural: string;
  /** `binding`, `log`, `proxy` */
  readonly subresource: string;
  /** Upper-case HTTP methods. */
  readonly methods: readonly string[];
  /** For discovery: the kind it takes or gives, `TokenRequest` of authentication.k8s.io/v1. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** Set by those that change a part of their object: the in-process client writes by them, too. */
  readonly rules?: ChangeRules;
  /** For a caller in this process: a body that needs no decoding, an answer that needs no encoding. @throws {StatusError} */
  post?(parts: ServerParts, call: ApiCall, body: KubeObject): Promise<KubeObject>;
  /** @throws {StatusError} */
  handle(parts: ServerParts, call: ApiCall, request: ApiRequest): Promise<ApiResponse>;
  /** An HTTP/1.1 upgrade on this path: takes the connection over, or answers. */
  upgrade?(
    parts: ServerParts,
    call: ApiCall,
    request: ApiRequest,
    socket: Duplex,
    head: Buffer,
  ): Promise<ApiResponse | undefined>;
}

/** Handlers by resource and subresource. */
export class SubresourceTable {
  readonly #handlers = new Map<string, SubresourceHandler>();

  add(handler: SubresourceHandler): void {
    const { group, plural, subresource } = handler;
    this.#handlers.set(`${group}/${plural}/${subresource}`, handler);
  }

  find(group: string, plural: string, subresource: string): SubresourceHandler | undefined {
    return this.#handlers.get(`${group}/${plural}/${subresource}`);
  }

  all(): readonly SubresourceHandler[] {
    return [...this.#handlers.values()];
  }
}
