import { Readable, type Duplex } from "node:stream";
import { badRequest } from "../../api/machinery/status-errors.ts";
import { fromIterable, isByteSource, type ByteSource } from "../../wire/http/byte-source.ts";
import { sendOver, type Framing } from "../../wire/websocket/send-over.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ApiRequest } from "../request.ts";
import { websocketProtocols } from "./passing-on.ts";

/** Subprotocol → framing; "" for a client that names none. */
export type Protocols = ReadonlyMap<string, Framing>;

/** @spec k8s@1.36 streaming/pkg/httpstream/wsstream stream.go NewDefaultReaderProtocols */
export const READER_PROTOCOLS: Protocols = new Map([
  ["", "binary"],
  ["binary.k8s.io", "binary"],
  ["base64.binary.k8s.io", "base64"],
]);

/** @spec k8s@1.36 endpoints/handlers/watch.go HandleWS: a text for each event */
export const WATCH_PROTOCOLS: Protocols = new Map([["", "lines"]]);

/** True for a request that wants to become a WebSocket. */
export function wantsWebsocket({ headers }: ApiRequest): boolean {
  return headers["upgrade"]?.toLowerCase() === "websocket";
}

/**
 * Gives a client that asks by WebSocket the body of what it would get by GET.
 *
 * @returns the answer, when it is an error.
 * @throws {StatusError} BadRequest: no subprotocol of the client's is known.
 */
export async function answerOverWebsocket(
  protocols: Protocols,
  request: ApiRequest,
  socket: Duplex,
  head: Buffer,
  answer: () => ApiResponse | Promise<ApiResponse>,
): Promise<ApiResponse | undefined> {
  const { method, headers } = request;
  if (method !== "GET" || !headers["sec-websocket-key"])
    throw badRequest("unable to upgrade: the request is no WebSocket handshake");
  const offered = websocketProtocols(request);
  const chosen = offered.length === 0 ? "" : offered.find((name) => protocols.has(name));
  if (chosen === undefined) {
    const known = [...protocols.keys()].map((name) => JSON.stringify(name)).join(" ");
    throw badRequest(
      `requested protocol(s) are not supported: [${offered.join(" ")}]; supports [${known}]`,
    );
  }
  const response = await answer();
  if (response.status >= 300) return response;
  sendOver({ method, headers, socket, head }, chosen, protocols.get(chosen)!, sourceOf(response));
  return undefined;
}

function sourceOf({ body }: ApiResponse): ByteSource {
  if (isByteSource(body)) return body;
  return fromIterable(Readable.from([body]));
}
