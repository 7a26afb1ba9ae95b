import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { jitteredBackoffMs, type BackoffLimits } from "../../base/backoff.ts";
import { sleep, type Clock, type Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { Unreachable } from "../../base/network.ts";
import type { Random } from "../../base/random.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";

/** Between connections that fail. Doubling the ceiling doubles how late a server's return is noticed. */
const RECONNECT: BackoffLimits = { firstMs: 100, ceilingMs: 10_000 };
/** Silence after which the server is asked for a sign of life, and how long it has. @spec golang.org/x/net/http2 ReadIdleTimeout 30 s, PingTimeout 15 s */
const PING_IDLE_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Largest answer that is held in memory, in bytes: far above what a page of a list has. */
const BODY_BYTES_MAX = 1024 * 1024 * 1024;

export interface HttpRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Until the answer's headers. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as it comes. @throws {Unreachable} the connection was lost. */
  chunks(): AsyncIterable<Buffer>;
  bytes(): Promise<Buffer>;
}

/**
 * An HTTP/2 client of one server: one TLS session for all requests, opened on demand and again when lost.
 *
 * Requests are never repeated here: the caller knows what may be repeated.
 * @throws {Unreachable} no connection, or it broke before the answer was complete.
 */
export class HttpClient {
  readonly #server: string;
  readonly #source: CredentialSource;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  #session: { readonly http2: ClientHttp2Session; readonly credentials: Credentials } | undefined;
  #connecting: Promise<ClientHttp2Session> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  readonly #closed = new AbortController();

  /** `server`: `https://host:port`. */
  constructor(
    server: string,
    source: CredentialSource,
    clock: Clock,
    random: Random,
    logger: Logger,
  ) {
    this.#server = server;
    this.#source = source;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const credentials = await this.#credentials();
    const session = await this.#usableSession(credentials);
    const { token } = credentials;
    const stream = session.request(
      {
        ":method": request.method,
        ":path": request.path,
        ...(token && { authorization: `Bearer ${token}` }),
        ...request.headers,
      },
      { endStream: request.body === undefined },
    );
    if (request.body !== undefined) stream.end(request.body);
    return this.#answer(stream, request);
  }

  /** Ends all requests. */
  close(): void {
    this.#closed.abort(new Unreachable("the client was closed"));
    this.#session?.http2.destroy();
  }

  async #credentials(): Promise<Credentials> {
    try {
      return await this.#source.current();
    } catch (error) {
      throw new Unreachable(`credentials cannot be read: ${messageOf(error)}`);
    }
  }

  async #usableSession(credentials: Credentials): Promise<ClientHttp2Session> {
    if (this.#closed.signal.aborted) throw this.#closed.signal.reason as Error;
    const current = this.#session;
    if (current && !current.http2.closed && !current.http2.destroyed) {
      if (isSameIdentity(current.credentials, credentials)) return current.http2;
      // A new certificate needs a new session; requests under way end on the old one.
      this.#session = undefined;
      current.http2.close();
    }
    this.#connecting ??= this.#connect(credentials).finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  async #connect(credentials: Credentials): Promise<ClientHttp2Session> {
    const waitMs = this.#notBeforeMs - this.#clock.monotonic();
    if (waitMs > 0) await sleep(this.#clock, waitMs, this.#closed.signal);
    try {
      const http2 = await openSession(this.#server, credentials, this.#clock);
      this.#failures = 0;
      this.#session = { http2, credentials };
      this.#keepAlive(http2);
      return http2;
    } catch (error) {
      this.#failures++;
      const pauseMs = jitteredBackoffMs(RECONNECT, this.#failures, this.#random);
      this.#notBeforeMs = this.#clock.monotonic() + pauseMs;
      throw new Unreachable(`${this.#server}: ${messageOf(error)}`);
    }
  }

  /** Ends a session whose peer is gone without a word: TCP alone would notice after many minutes. */
  #keepAlive(http2: ClientHttp2Session): void {
    let timer: Timer | undefined;
    const check = (): void => {
      timer = this.#clock.after(PING_TIMEOUT_MS, () => {
        this.#logger.info("the server does not answer; connecting anew", { server: this.#server });
        http2.destroy(new Unreachable("no answer to a ping"));
      });
      http2.ping((error) => {
        timer?.cancel();
        if (!error && !http2.destroyed) timer = this.#clock.after(PING_IDLE_MS, check);
      });
    };
    timer = this.#clock.after(PING_IDLE_MS, check);
    http2.on("close", () => timer?.cancel());
    http2.on("error", (error) => {
      this.#logger.debug("connection lost", { server: this.#server, error: messageOf(error) });
    });
    http2.on("goaway", () => {
      if (this.#session?.http2 === http2) this.#session = undefined;
    });
  }

  #answer(stream: ClientHttp2Stream, { timeoutMs, signal }: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const timer =
        timeoutMs === undefined
          ? undefined
          : this.#clock.after(timeoutMs, () =>
              stream.destroy(new Unreachable("no answer in time")),
            );
      const abort = (): void => void stream.destroy(signal?.reason as Error);
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted) abort(); // While the session was opened.
      stream.on("close", () => {
        timer?.cancel();
        signal?.removeEventListener("abort", abort);
        reject(lost("the connection ended before the answer"));
      });
      stream.on("error", (error) =>
        reject(signal?.aborted ? (signal.reason as Error) : lost(error)),
      );
      stream.on("response", (headers) => {
        timer?.cancel();
        resolve({
          status: headers[":status"] ?? 0,
          headers: headers as HttpResponse["headers"],
          chunks: () => chunksOf(stream, signal),
          bytes: () => bytesOf(stream, signal),
        });
      });
    });
  }
}

function openSession(
  server: string,
  { ca, cert, key }: Credentials,
  clock: Clock,
): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const http2 = connect(server, {
      ca,
      ...(cert && { cert }),
      ...(key && { key }),
      minVersion: "TLSv1.2",
    });
    const timer = clock.after(CONNECT_TIMEOUT_MS, () => {
      http2.destroy(new Error("no connection in time"));
    });
    const fail = (error: Error): void => {
      timer.cancel();
      reject(error);
    };
    http2.once("error", fail);
    http2.once("close", () => fail(new Error("the connection was closed")));
    http2.once("connect", () => {
      timer.cancel();
      http2.off("error", fail);
      resolve(http2);
    });
  });
}

async function* chunksOf(
  stream: ClientHttp2Stream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw signal?.aborted ? (signal.reason as Error) : lost(error);
  } finally {
    stream.destroy();
  }
  // A reset without an error code ends the iteration as if the body were complete.
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw lost(`stream reset (${stream.rstCode})`);
}

async function bytesOf(
  stream: ClientHttp2Stream,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream, signal)) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw lost("the answer is too large");
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function isSameIdentity(a: Credentials, b: Credentials): boolean {
  return a === b || (a.cert === b.cert && a.key === b.key && a.ca === b.ca);
}

function lost(error: unknown): Unreachable {
  return error instanceof Unreachable ? error : new Unreachable(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
