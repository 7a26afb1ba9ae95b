import { constants } from "node:http2";
import type { Http2ServerResponse, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServerResponse } from "node:http";
import { isByteSource, type ByteSource } from "./byte-source.ts";
import { chunkedTarget, type BodyTarget } from "./chunked-target.ts";
import type { HttpResponse } from "./exchange.ts";
import { GzipBlocks } from "./gzip-blocks.ts";
import { GZIP_BYTES_MIN, pump } from "./send.ts";
import type { Untaken } from "./untaken.ts";

const INTERNAL: HttpResponse = {
  status: 500,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: Buffer.from("Internal Server Error"),
};

/** The answer to a handler that broke its promise never to throw. */
export const internalError = (): HttpResponse => INTERNAL;

/** Sends `response` on a stream of HTTP/2. */
export function respondOverStream(
  stream: ServerHttp2Stream,
  response: HttpResponse,
  isHead: boolean,
  acceptsGzip: boolean,
  untaken: Untaken,
): void {
  if (stream.destroyed || stream.closed) return discard(response);
  if (!stream.endAfterHeaders && !stream.readableEnded) letGoAfterAnswer(stream);
  const headers: OutgoingHttpHeaders = {
    ":status": response.status,
    ...response.headers,
    ...response.moreHeaders,
  };
  if (isHead) {
    stream.respond(headers, { endStream: true });
    return discard(response);
  }
  if (!isByteSource(response.body)) {
    headers["content-length"] = response.body.length;
    stream.respond(headers);
    stream.end(response.body);
    if (response.body.length > 0) untaken.start(stream, response.body.length);
    return;
  }
  sendSource(response, response.body, stream, acceptsGzip, untaken, (encoding) => {
    if (encoding) headers["content-encoding"] = encoding;
    stream.respond(headers);
  });
}

/** A request that goes on after its answer would hold its stream: nobody reads the rest. @spec RFC 9113 section 8.1 */
export function letGoAfterAnswer(stream: ServerHttp2Stream): void {
  stream.once("finish", () => {
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/** Sends `response` as HTTP/1.1. */
export function respondOverMessage(
  message: ServerResponse | Http2ServerResponse,
  response: HttpResponse,
  isHead: boolean,
  acceptsGzip: boolean,
  untaken: Untaken,
): void {
  const target = message as ServerResponse;
  if (target.destroyed) return discard(response);
  const headers = headerList(response);
  if (isHead) {
    target.writeHead(response.status, headers).end();
    return discard(response);
  }
  if (!isByteSource(response.body)) {
    headers.push("content-length", String(response.body.length));
    target.writeHead(response.status, headers).end(response.body);
    if (target.writableLength > 0) watchOver(target, untaken);
    return;
  }
  const begin = (encoding?: "gzip"): void => {
    if (encoding) headers.push("content-encoding", encoding);
    target.writeHead(response.status, headers);
    // A watch without events must still show its client that it has begun.
    target.flushHeaders();
  };
  sendSource(response, response.body, target, acceptsGzip, untaken, begin, () =>
    chunkedTarget(target),
  );
}

function watchOver(target: ServerResponse, untaken: Untaken): void {
  untaken.start(target, target.writableLength);
  target.once("close", () => untaken.end(target));
}

/** Names and values in turn: the form that Node writes without looking at it twice. */
function headerList({ headers, moreHeaders }: HttpResponse): string[] {
  const list: string[] = [];
  for (const name in headers) {
    const value = headers[name]!;
    if (typeof value === "string") list.push(name, value);
    else for (const one of value) list.push(name, one);
  }
  for (const name in moreHeaders) list.push(name, moreHeaders[name]!);
  return list;
}

/** `begin` sends the headers, with the encoding that the body will have. `plain`: where a body goes that is not compressed. */
function sendSource(
  response: HttpResponse,
  source: ByteSource,
  target: ServerHttp2Stream | ServerResponse,
  acceptsGzip: boolean,
  untaken: Untaken,
  begin: (encoding?: "gzip") => void,
  plain: () => BodyTarget = () => target,
): void {
  // A watch or a log may wait for its reader; a list is ready, and holds a state of the past as long as it is not taken.
  const bound = response.compression === "whole" ? untaken : undefined;
  if (!acceptsGzip || !response.compression) {
    begin();
    return pump(source, plain(), undefined, bound);
  }
  if (response.compression === "pieces") {
    begin("gzip");
    return pump(new GzipBlocks(source, "pieces"), plain());
  }
  const first = source.read() ?? Buffer.alloc(0);
  if (first.length < GZIP_BYTES_MIN) {
    begin();
    return pump(source, plain(), first, bound);
  }
  begin("gzip");
  const gzip = new GzipBlocks(source, "whole");
  pump(gzip, plain(), gzip.take(first) ?? undefined, untaken);
}

function discard(response: HttpResponse): void {
  if (isByteSource(response.body)) response.body.close();
}
