import type { Duplex, Readable } from "node:stream";
import type { ByteSource } from "./byte-source.ts";

/** One request, free of the protocol version it came by. */
export interface HttpRequest {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The query as it was sent, without its `?`. Absent: there was no text, only `query`. */
  readonly queryText?: string;
  /** The whole body; the same Buffer each time. @throws {BodyTooLarge} {BodyTooSlow} {RequestAborted} */
  body(): Promise<Buffer>;
  /** The body as it comes and without a limit, for those who pass it on. Instead of `body`; `undefined`: it has none. */
  bodyStream?(): Readable | undefined;
  readonly remoteAddress: string;
  /** The same for all requests of one connection, to remember by what they have in common. */
  readonly connection?: object;
  /** Of a client certificate that the server's CA signed and that is valid now. */
  readonly certificate?: ClientCertificate;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface ClientCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Sent besides: those that many answers have in common. */
  readonly moreHeaders?: Readonly<Record<string, string>>;
  readonly body: Buffer | ByteSource;
  /**
   * How a source is compressed when the client accepts it. `whole`: it always has its next bytes. `pieces`: none of them may be held back,
   * and many clients get the same ones. Absent: not at all.
   */
  readonly compression?: "whole" | "pieces";
}

/** Must not throw: every failure is a response. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

/**
 * Takes over the connection of an HTTP/1.1 `Upgrade` request: whatever it writes goes to the client as it is.
 * `undefined`: not taken over, the response is sent.
 */
export type UpgradeHandler = (
  request: HttpRequest,
  socket: Duplex,
  head: Buffer,
) => Promise<HttpResponse | undefined>;

/** A request body over the limit. The client's error. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/** A request body that did not come in time. The client's error, or its network's. */
export class BodyTooSlow extends Error {
  override readonly name = "BodyTooSlow";
}

/** The client went away before its request was complete. Normal. */
export class RequestAborted extends Error {
  override readonly name = "RequestAborted";
}
