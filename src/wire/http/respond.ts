import type { Http2ServerResponse, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServerResponse } from "node:http";
import { isByteSource, type ByteSource } from "./byte-source.ts";
import type { HttpResponse } from "./exchange.ts";
import { GZIP_BYTES_MIN, pump, pumpGzipped } from "./send.ts";

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
): void {
  if (stream.destroyed || stream.closed) return discard(response);
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
    return;
  }
  sendSource(response, response.body, stream, acceptsGzip, (encoding) => {
    if (encoding) headers["content-encoding"] = encoding;
    stream.respond(headers);
  });
}

/** Sends `response` as HTTP/1.1. */
export function respondOverMessage(
  message: ServerResponse | Http2ServerResponse,
  response: HttpResponse,
  isHead: boolean,
  acceptsGzip: boolean,
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
    return;
  }
  sendSource(response, response.body, target, acceptsGzip, (encoding) => {
    if (encoding) headers.push("content-encoding", encoding);
    target.writeHead(response.status, headers);
    // A watch without events must still show its client that it has begun.
    target.flushHeaders();
  });
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

/** `begin` sends the headers, with the encoding that the body will have. */
function sendSource(
  response: HttpResponse,
  source: ByteSource,
  target: ServerHttp2Stream | ServerResponse,
  acceptsGzip: boolean,
  begin: (encoding?: "gzip") => void,
): void {
  if (!acceptsGzip || !response.isCompressible) {
    begin();
    return pump(source, target);
  }
  const first = source.read() ?? Buffer.alloc(0);
  if (first.length < GZIP_BYTES_MIN) {
    begin();
    return pump(source, target, first);
  }
  begin("gzip");
  pumpGzipped(source, target, first);
}

function discard(response: HttpResponse): void {
  if (isByteSource(response.body)) response.body.close();
}
