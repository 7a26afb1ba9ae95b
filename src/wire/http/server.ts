// From the outside in: `serveHttp` (all addresses) → `SecureListener` (one socket: events of connections, sessions, streams of HTTP/2,
// messages and upgrades of HTTP/1.1) → the handler; then how answers are sent safely and connections are ended.
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { BodyTarget } from "./chunked-target.ts";
import { Connections, OPEN, type Carrier } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import type { HttpHandler, HttpResponse, UpgradeHandler } from "./exchange.ts";
import { CONTROL_FRAMES, FloodBudget, RESETS } from "./flood-budget.ts";
import {
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  HTTP_TIMES,
  PIPELINED_MAX,
  SESSION_MEGABYTES_MAX,
  STREAMS_MAX,
  type HttpTimes,
} from "./limits.ts";
import { connectionOf, StreamedRequest, type BodyBounds, type Connection } from "./request.ts";
import {
  internalError,
  letGoAfterAnswer,
  respondOverMessage,
  respondOverStream,
} from "./respond.ts";
import { Untaken, UNTAKEN_BYTES_MAX } from "./untaken.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface HttpServerOptions {
  readonly listen: readonly ListenAddress[];
  readonly key: string;
  readonly cert: string;
  /** Signs the client certificates that count; without it none does. */
  readonly clientCa?: string;
  readonly handler: HttpHandler;
  readonly upgrade?: UpgradeHandler;
  /** Bytes of one request body. */
  readonly bodyBytesMax: number;
  /** Default {@link HTTP_TIMES}. */
  readonly times?: HttpTimes;
  /** Open connections at a time, on all addresses; above, idle ones go. Each needs a file descriptor. Default: no bound. */
  readonly connectionsMax?: number;
}

/** What all listeners of a server share. */
interface Shared {
  readonly connections: Connections;
  readonly untaken: Untaken;
}

export interface HttpServer {
  /** Where it listens, in the order of the options. */
  readonly addresses: readonly ListenAddress[];
  /** New connections get this certificate; open ones keep theirs. */
  setCertificate(key: string, cert: string): void;
  /** Accepts nothing new, lets requests end for up to `graceMs`, then cuts. */
  close(graceMs: number): Promise<void>;
}

/** HTTP/2 receive window of one stream, bytes: a whole ordinary body. */
const WINDOW_BYTES = 256 * 1024;
/** How long an address may take to come, in ms: bridges are made while the server starts. More only delays the error. */
const ADDRESS_MS_MAX = 10_000;
/** Pause between two looks for it, in ms. */
const ADDRESS_LOOK_MS = 10;
/** A silent connection is probed after this long, ms. More keeps what is left of dead clients longer. */
const KEEP_ALIVE_MS = 60_000;
/** A reader that has taken nothing for less, in ms, is only slow. */
const PATIENCE_MS = 1000;
/** How often HTTP/1.1 connections are looked at for late headers, ms. */
const CHECK_MS = 10_000;
/** What the parser's errors are called. Without an entry: a bad request. */
const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};
/** TLS sessions resume for this long, seconds: shorter than the shortest certificate. */
const SESSION_SECONDS = 300;

/** Serves HTTP/2 and HTTP/1.1 over TLS on every address; resolves when all of them listen. */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const servers: SecureListener[] = [];
  const { answerMs } = options.times ?? HTTP_TIMES;
  const shared = {
    connections: new Connections(options.connectionsMax ?? Infinity),
    untaken: new Untaken(
      { ms: answerMs, bytesMax: UNTAKEN_BYTES_MAX, patienceMs: PATIENCE_MS },
      cut,
    ),
  };
  try {
    for (const address of options.listen) {
      const listener = new SecureListener(options, shared);
      servers.push(listener);
      await listenWhenThere(listener, address);
    }
  } catch (error) {
    await Promise.all(servers.map((listener) => listener.close(0)));
    throw error;
  }
  return {
    addresses: servers.map((listener) => listener.address),
    setCertificate: (key, cert) => servers.forEach((listener) => listener.setContext(key, cert)),
    close: async (graceMs) => {
      await Promise.all(servers.map((listener) => listener.close(graceMs)));
      shared.untaken.close();
    },
  };
}

/** Listens on an address that the machine may get a moment later. @throws {Error} it is taken, or does not come. */
async function listenWhenThere(listener: SecureListener, address: ListenAddress): Promise<void> {
  const untilMs = performance.now() + ADDRESS_MS_MAX;
  for (;;) {
    try {
      return await listener.listen(address);
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === "EADDRNOTAVAIL";
      if (!isMissing || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, ADDRESS_LOOK_MS));
    }
  }
}

/** One listening socket. */
class SecureListener {
  readonly #options: HttpServerOptions;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #raw = new Set<Socket>();
  readonly #connections = new WeakMap<object, Connection>();
  readonly #times: HttpTimes;
  readonly #bodies: BodyBounds;
  readonly #shared: Shared;
  #isClosing = false;

  constructor(options: HttpServerOptions, shared: Shared) {
    this.#options = options;
    this.#shared = shared;
    const times = (this.#times = options.times ?? HTTP_TIMES);
    this.#bodies = {
      bytesMax: options.bodyBytesMax,
      deadlines: new Deadlines(times.bodyMs, (request) => request.expire()),
    };
    const server = createSecureServer({
      ...this.#context(options.key, options.cert),
      allowHTTP1: true,
      requestCert: options.clientCa !== undefined,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      // Else the last piece of each answer over HTTP/1.1 waits for the client's delayed acknowledgement, up to 40 ms.
      noDelay: true,
      sessionTimeout: SESSION_SECONDS,
      handshakeTimeout: times.handshakeMs,
      maxSessionMemory: SESSION_MEGABYTES_MAX,
      maxHeaderListPairs: HEADERS_MAX,
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        maxHeaderListSize: HEADER_BYTES_MAX,
        initialWindowSize: WINDOW_BYTES,
      },
      // Notices peers that are gone without a word.
      ...({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS } as object),
    });
    this.#server = server;
    // For HTTP/1.1 these count as properties only.
    Object.assign(server, {
      headersTimeout: times.headersMs,
      keepAliveTimeout: times.idleMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(times.headersMs, CHECK_MS),
      maxHeaderSize: HEADER_BYTES_MAX,
      maxHeadersCount: HEADERS_MAX,
    });
    this.#listen(server);
  }

  #listen(server: Http2SecureServer): void {
    server.on("request", (message, response) => {
      this.#onMessage(message as unknown as IncomingMessage, response as unknown as ServerResponse);
    });
    // The "request" listener, needed for HTTP/1.1, brings the slow compatibility layer for HTTP/2 along: out with it.
    server.removeAllListeners("stream");
    server.on("stream", (stream, headers) => this.#onStream(stream, headers));
    server.on("session", (session) => this.#onSession(session));
    const { connections } = this.#shared;
    server.on("connection", (socket: Socket) => {
      this.#raw.add(socket);
      connections.add(socket);
      socket.on("close", () => this.#raw.delete(socket));
    });
    server.on("secureConnection", (socket) => {
      // A session of HTTP/2 has been told of before.
      if (socket.alpnProtocol !== "h2") connections.follow(socket, socket as Carrier);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    // A request that is no request: the client's mistake, answered by the parser.
    server.on(
      "clientError" as "sessionError",
      (({ code }: NodeJS.ErrnoException, socket: Socket) => {
        const status = CLIENT_ERRORS[code ?? ""] ?? "400 Bad Request";
        if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
        else socket.destroy();
      }) as never,
    );
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.on("sessionError", () => {});
    server.on(
      "upgrade" as "session",
      ((m: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.#onUpgrade(m, socket, head)) as never,
    );
  }

  get address(): ListenAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  listen({ host, port }: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.removeListener("error", reject);
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  setContext(key: string, cert: string): void {
    this.#server.setSecureContext(this.#context(key, cert));
  }

  async close(graceMs: number): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
      for (const socket of [...this.#sockets, ...this.#raw]) socket.destroy();
    }, graceMs);
    (this.#server as unknown as { closeIdleConnections?: () => void }).closeIdleConnections?.();
    // Those without TLS yet have nothing to end.
    for (const socket of this.#raw) if (socket.bytesRead === 0) socket.destroy();
    await closed;
    clearTimeout(timer);
    this.#bodies.deadlines.close();
  }

  #context(key: string, cert: string): { key: string; cert: string; ca?: string } {
    return {
      key,
      cert,
      ...(this.#options.clientCa !== undefined && { ca: this.#options.clientCa }),
    };
  }

  #connection(socket: TLSSocket): Connection {
    let connection = this.#connections.get(socket);
    if (!connection) this.#connections.set(socket, (connection = connectionOf(socket)));
    return connection;
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    // Without streams for this long, the connection goes; an open watch keeps it.
    session.setTimeout(this.#times.idleMs, () => {
      if ((session as Carrier)[OPEN]) return;
      session.close();
    });
    this.#connections.set(session, connectionOf(session.socket as TLSSocket));
    this.#shared.connections.follow(session.socket, session as Carrier);
    BUDGETS.set(session, new FloodBudget(RESETS));
    const control = new FloodBudget(CONTROL_FRAMES);
    const spend = (): void => {
      if (!control.spend(performance.now())) calm(session);
    };
    session.on("ping", spend);
    session.on("remoteSettings", spend);
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const session = stream.session as (ServerHttp2Session & Carrier) | undefined;
    if (!session) return;
    session[OPEN] = (session[OPEN] ?? 0) + 1;
    stream.on("error", () => {});
    const method = headers[":method"] as string;
    const path = headers[":path"] as string | undefined;
    // CONNECT: a request for a tunnel, which has no path.
    if (path === undefined) {
      stream.on("close", () => session[OPEN]!--);
      letGoAfterAnswer(stream);
      return stream.respond({ ":status": 405 }, { endStream: true });
    }
    const hasBody = !stream.readableEnded && method !== "GET" && method !== "HEAD";
    const request = new StreamedRequest(
      method,
      path,
      headers as Record<string, string | undefined>,
      this.#connections.get(session)!,
      hasBody ? stream : undefined,
      this.#bodies,
    );
    stream.on("close", () => {
      session[OPEN]!--;
      request.abort();
      this.#shared.untaken.end(stream);
      // By the client, or by us because of what it sent: either way the work was for nothing.
      const isReset = stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.aborted;
      if (isReset && !BUDGETS.get(session)!.spend(performance.now())) calm(session);
    });
    if (!hasBody) stream.resume();
    const acceptsGzip = wantsGzip(headers["accept-encoding"]);
    this.#answer(request, (response) => {
      respondOverStream(stream, response, method === "HEAD", acceptsGzip, this.#shared.untaken);
    });
  }

  #onMessage(message: IncomingMessage, target: ServerResponse): void {
    const method = message.method ?? "GET";
    const hasBody = method !== "GET" && method !== "HEAD";
    const request = this.#requestOf(message, hasBody);
    const carrier = message.socket as Carrier;
    carrier[OPEN] = (carrier[OPEN] ?? 0) + 1;
    target.once("close", () => carrier[OPEN]!--);
    if (hasBody) message.once("close", () => this.#bodies.deadlines.end(request));
    request.follow(target);
    const acceptsGzip = wantsGzip(message.headers["accept-encoding"]);
    const begin = (): void =>
      this.#answer(request, (response) => {
        if (this.#isClosing) target.setHeader("connection", "close");
        respondOverMessage(target, response, method === "HEAD", acceptsGzip, this.#shared.untaken);
      });
    // Behind another one (pipelining): its answer could not go out yet, and would be held.
    if (target.socket) begin();
    else if (carrier[OPEN] > PIPELINED_MAX) message.socket.destroy();
    else target.once("socket", begin);
  }

  #onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    // For as long as it is open.
    (socket as Carrier)[OPEN] = 1;
    const { upgrade } = this.#options;
    if (!upgrade) return void socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    const request = this.#requestOf(message, false);
    socket.on("close", () => request.abort());
    upgrade(request, socket, head)
      .catch(internalError)
      .then(
        (response) => {
          if (response && socket.writable) socket.end(rawResponse(response));
        },
        () => socket.destroy(),
      );
  }

  #requestOf(message: IncomingMessage, hasBody: boolean): StreamedRequest {
    return new StreamedRequest(
      message.method ?? "GET",
      message.url ?? "/",
      message.headers as Record<string, string | undefined>,
      this.#connection(message.socket as TLSSocket),
      hasBody ? message : undefined,
      this.#bodies,
    );
  }

  /** Synchronous as long as the handler is: a promise per GET would be a tenth of its cost. */
  #answer(request: StreamedRequest, send: (response: HttpResponse) => void): void {
    let result: HttpResponse | Promise<HttpResponse>;
    try {
      result = this.#options.handler(request);
    } catch {
      result = internalError();
    }
    if (result instanceof Promise) void result.catch(internalError).then(sendSafely(send));
    else sendSafely(send)(result);
  }
}

/** A header that Node refuses must not end the process: the client gets 500, or nothing when that fails, too. */
function sendSafely(send: (response: HttpResponse) => void): (response: HttpResponse) => void {
  return (response) => {
    try {
      send(response);
    } catch {
      try {
        send(internalError());
      } catch {
        // its connection is gone
      }
    }
  };
}

const BUDGETS = new WeakMap<ServerHttp2Session, FloodBudget>();

/** Ends the connection of a client that only makes work. */
function calm(session: ServerHttp2Session): void {
  session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** Lets go of an answer that nobody takes. */
function cut(target: BodyTarget): void {
  if ("rstCode" in target) (target as ServerHttp2Stream).close(constants.NGHTTP2_CANCEL);
  else target.destroy();
}

function wantsGzip(header: string | string[] | undefined): boolean {
  return typeof header === "string" && header.includes("gzip");
}

/** An HTTP/1.1 response as text: after an upgrade request Node has let go of the connection. */
function rawResponse(response: HttpResponse): Buffer {
  const body = Buffer.isBuffer(response.body) ? response.body : Buffer.alloc(0);
  const lines = Object.entries(response.headers).map(
    ([name, value]) => `${name}: ${String(value)}\r\n`,
  );
  const head = `HTTP/1.1 ${response.status} -\r\n${lines.join("")}content-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
