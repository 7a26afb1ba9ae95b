import { Agent as PlainAgent, request as plainRequest, type ClientRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { Unreachable } from "../../base/network.ts";
import { isByteSource, type ByteSource } from "../http/byte-source.ts";
import { endToEnd } from "./headers.ts";
import { wasAborted } from "../http/request.ts";
import { fromReadable } from "./readable-source.ts";
import { upgrade, type UpgradeOutcome } from "./upgrade.ts";

/** Milliseconds until a connection, TLS included, must stand. @spec net/http DefaultTransport: 30 s and 10 s of TLS */
const CONNECT_MS = 30_000;
/** Unused connections kept per server: doubling it doubles the idle sockets, each some ten kilobytes here and there. */
const IDLE_SOCKETS_MAX = 4;
/** Milliseconds that an unused connection is kept: less than servers keep theirs, so that few are lost on use. */
const IDLE_MS = 15_000;
/** Bytes of an error's text that are read. @spec k8s@1.36 registry/generic/rest/response_checker.go maxReadLength */
const TEXT_BYTES_MAX = 50_000;

/** How servers prove who they are, and who we are to them. */
export interface BackendTls {
  /** PEM authorities that servers' certificates must come from. Absent: any certificate will do. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One server, by address. */
export interface BackendAddress {
  readonly scheme: "http" | "https";
  /** An IP address: nothing is resolved here. */
  readonly host: string;
  readonly port: number;
}

export interface BackendRequest {
  readonly method: string;
  /** Encoded, with its query. */
  readonly path: string;
  /** With `host` where the server shall see another than its address. */
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Readable | undefined;
  /** Aborts the request, and the answer while it is read. */
  readonly signal: AbortSignal;
}

/** The head of an answer, and its body as it comes: to be read or closed. */
export interface BackendResponse {
  readonly status: number;
  /** Those for the client: nothing about the connection. */
  readonly headers: Record<string, string | string[]>;
  readonly body: ByteSource;
}

/** A client of any number of servers that trust the same certificate. */
export class Backends {
  readonly #clock: Clock;
  readonly #tls: BackendTls;
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;

  constructor(clock: Clock, tls: BackendTls) {
    this.#clock = clock;
    this.#tls = tls;
    const kept = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX, timeout: IDLE_MS };
    this.#plain = new PlainAgent(kept);
    this.#secure = new SecureAgent({ ...kept, ...tlsOptions(tls) });
  }

  /** Sends `request` and resolves with the head of its answer. @throws {Unreachable} */
  async request(address: BackendAddress, request: BackendRequest): Promise<BackendResponse> {
    const answer = await this.#send(address, request);
    const { statusCode = 0, headers } = answer;
    if (statusCode < 200 || statusCode > 599) {
      answer.destroy();
      throw new Unreachable(`malformed HTTP status code "${statusCode}"`);
    }
    return { status: statusCode, headers: endToEnd(headers), body: fromReadable(answer) };
  }

  /** Asks for a switch of protocols, on a connection that is used for nothing else. @throws {Unreachable} */
  async upgrade(address: BackendAddress, request: BackendRequest): Promise<UpgradeOutcome> {
    try {
      return await upgrade(this.#outgoing(address, request, false), this.#clock);
    } catch (error) {
      throw new Unreachable(textOfError(error, address));
    }
  }

  async #send(address: BackendAddress, request: BackendRequest): Promise<IncomingMessage> {
    for (;;) {
      const outgoing = this.#outgoing(address, request, true);
      try {
        return await answerOf(outgoing, request.body);
      } catch (error) {
        // The server closed a kept connection as it was taken up again: the request never reached it.
        const isStale = outgoing.reusedSocket && !request.body && !request.signal.aborted;
        if (!isStale) throw new Unreachable(textOfError(error, address));
      }
    }
  }

  #outgoing(address: BackendAddress, request: BackendRequest, isKept: boolean): ClientRequest {
    const { scheme, host, port } = address;
    const { method, path, headers, signal } = request;
    const base = { host, port, method, path, headers, signal };
    const outgoing =
      scheme === "https"
        ? secureRequest({
            ...base,
            ...tlsOptions(this.#tls),
            agent: isKept && this.#secure,
          })
        : plainRequest({ ...base, agent: isKept && this.#plain });
    limitConnecting(outgoing, scheme === "https" ? "secureConnect" : "connect", this.#clock);
    return outgoing;
  }
}

/** All of an answer that is an error, as far as anyone wants to read it. */
export async function errorText(body: ByteSource | Buffer): Promise<string> {
  if (!isByteSource(body)) return body.toString();
  const pieces: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve) => {
    const step = (): void => {
      try {
        for (let piece = body.read(); length < TEXT_BYTES_MAX; piece = body.read()) {
          if (piece === undefined) return;
          if (piece === null) break;
          length += piece.length;
          pieces.push(piece);
        }
      } catch {
        // What came of a broken answer says more than nothing.
      }
      resolve();
    };
    body.onReadable(step);
    step();
  });
  body.close();
  return Buffer.concat(pieces).toString("utf8", 0, TEXT_BYTES_MAX);
}

/** What went wrong with a connection, in the words of Go's net package, which users know. */
function textOfError(error: unknown, { host, port }: BackendAddress): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== "connect") return error.message;
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `dial tcp ${where}: connect: ${CONNECT_ERRORS[code ?? ""] ?? error.message}`;
}

const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};

function tlsOptions({ ca, cert, key }: BackendTls): object {
  return {
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    minVersion: "TLSv1.2",
  };
}

function limitConnecting(
  outgoing: ClientRequest,
  ready: "connect" | "secureConnect",
  clock: Clock,
): void {
  outgoing.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = clock.after(CONNECT_MS, () => {
      outgoing.destroy(new Error("i/o timeout"));
    });
    socket.once(ready, () => timer.cancel());
    socket.once("close", () => timer.cancel());
  });
}

function answerOf(outgoing: ClientRequest, body: Readable | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    if (!body) return void outgoing.end();
    // A client that goes away amid its body must not look as if it had sent all of it.
    const broken = (): void => void outgoing.destroy(new Error("the client went away"));
    body.on("error", broken);
    body.on("close", () => body.readableEnded || broken());
    body.on("end", () => (wasAborted(body) ? broken() : outgoing.end()));
    body.pipe(outgoing, { end: false });
  });
}
