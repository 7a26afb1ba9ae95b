import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { HTTP_TIMES } from "../../wire/http/limits.ts";
import type { Caller, Gate } from "../server/gate.ts";
import type { Answer, KubeletApi } from "../server/kubelet-api.ts";
import { routeOf } from "../server/route.ts";
import { readLog } from "./log-stream.ts";
import { joinRuntime } from "./runtime-stream.ts";
import { openLog } from "./open-log.ts";

/** Where the kubelet listens, and with what. PEM texts. */
export interface ListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Signs the certificates of callers. */
  readonly clientCa: string;
}

/** The kubelet's HTTPS server. */
export class KubeletListener {
  readonly #server: Server;
  readonly #api: KubeletApi;
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: ListenerOptions, api: KubeletApi, gate: Gate, clock: Clock, logger: Logger) {
    this.#api = api;
    this.#gate = gate;
    this.#clock = clock;
    this.#logger = logger;
    const { certificate, key, clientCa } = options;
    const { handshakeMs, headersMs, bodyMs } = HTTP_TIMES;
    this.#server = createServer(
      {
        ...{ cert: certificate, key, ca: clientCa, requestCert: true, rejectUnauthorized: false },
        ...{ handshakeTimeout: handshakeMs, headersTimeout: headersMs, requestTimeout: bodyMs },
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on(
      "upgrade",
      (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        void this.#upgrade(request, socket, head),
    );
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Resolves with the port. @throws {Error} the address is taken. */
  listen({ host, port }: Pick<ListenerOptions, "host" | "port">): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address ? address.port : port);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = urlOf(request);
      if (!url) return send(response, text(400, "the path of the request is malformed"));
      const verdict = await this.#gate(callerOf(request), request.method ?? "GET", url.pathname);
      if (!verdict.isAllowed) return send(response, text(verdict.code, verdict.message));
      const route = routeOf(url.pathname);
      if (!route) return send(response, text(404, "404 page not found"));
      const answer = await this.#api.answer(route, url.searchParams);
      if (answer.kind === "text") send(response, answer);
      else await sendLog(response, answer);
    } catch (error) {
      this.#logger.warning("kubelet request failed", { error: String(error) });
      if (response.headersSent) response.destroy();
      else send(response, text(500, (error as Error).message));
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const url = urlOf(request);
      if (!url) return refuse(socket, 400, "the path of the request is malformed");
      const verdict = await this.#gate(callerOf(request), request.method ?? "GET", url.pathname);
      if (!verdict.isAllowed) return refuse(socket, verdict.code, verdict.message);
      const route = routeOf(url.pathname);
      if (!route) return refuse(socket, 404, "404 page not found");
      const target = await this.#api.streamUrl(route, url.searchParams);
      if (!(target instanceof URL))
        return refuse(
          socket,
          target.kind === "text" ? target.code : 400,
          target.kind === "text" ? target.body : "",
        );
      const refusal = await joinRuntime({ request, socket, head }, target, this.#clock);
      if (refusal) refuse(socket, refusal.code, refusal.message);
    } catch (error) {
      refuse(socket, 500, (error as Error).message);
    }
  }
}

/** `undefined`: it is malformed. */
function urlOf({ url = "/" }: IncomingMessage): URL | undefined {
  return URL.canParse(url, "https://kubelet") ? new URL(url, "https://kubelet") : undefined;
}

function callerOf(request: IncomingMessage): Caller {
  const socket = request.socket as TLSSocket;
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const subject = socket.authorized ? socket.getPeerCertificate().subject : undefined;
  const [name] = listOf(subject?.CN);
  const groups = listOf(subject?.O);
  return {
    ...(name === undefined ? {} : { certificate: { name, groups } }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Node gives one value as text and several as a list. */
function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

type TextAnswer = Extract<Answer, { kind: "text" }>;

function text(code: number, body: string): TextAnswer {
  return { kind: "text", code, type: "text/plain; charset=utf-8", body };
}

function send(response: ServerResponse, { code, type, body }: TextAnswer): void {
  response.writeHead(code, { "Content-Type": type }).end(body);
}

async function sendLog(
  response: ServerResponse,
  { path, options, isAlive }: Extract<Answer, { kind: "log" }>,
): Promise<void> {
  const abort = new AbortController();
  response.on("close", () => abort.abort());
  await (await openLog(path)).close();
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.flushHeaders();
  for await (const bytes of readLog(path, options, isAlive, abort.signal))
    if (!response.write(bytes)) await drained(response);
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

function refuse(socket: Duplex, code: number, message: string): void {
  const body = message.endsWith("\n") ? message : `${message}\n`;
  const head = `HTTP/1.1 ${code} Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
