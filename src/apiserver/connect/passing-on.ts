import type { Duplex } from "node:stream";
import { backendUnreachable } from "../../api/machinery/backend-errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { BackendAddress, Backends } from "../../wire/http-proxy/backend.ts";
import { endToEnd } from "../../wire/http-proxy/headers.ts";
import { splice } from "../../wire/http-proxy/splice.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ApiRequest } from "../request.ts";

/** Who the client is was our business: none of it goes on. @spec k8s@1.36 apiserver filters WithAuthentication, WithImpersonation */
const CREDENTIALS = /^(authorization|impersonate-.*|x-remote-(user|uid|group|extra-.*))$/;

/** A token in disguise. @spec k8s@1.36 apiserver authentication/request/websocket protocol.go */
const BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

/** Joined list headers, as they are passed on and split. */
const COMMA = /\s*,\s*/;

/** The client's headers for the other side: end to end, without credentials, and with whom they are for. */
export function forwardedHeaders(request: ApiRequest): Record<string, string | string[]> {
  const { headers } = request;
  const kept = endToEnd(headers);
  for (const name of Object.keys(kept)) if (CREDENTIALS.test(name)) delete kept[name];
  delete kept["expect"];
  const host = headers["host"] ?? headers[":authority"];
  if (host !== undefined) kept["host"] = host;
  const before = headers["x-forwarded-for"];
  if (request.remoteAddress !== "")
    kept["x-forwarded-for"] = before
      ? `${before}, ${request.remoteAddress}`
      : request.remoteAddress;
  return kept;
}

/** {@link forwardedHeaders} of a request to switch protocols. */
export function upgradeHeaders(request: ApiRequest): Record<string, string | string[]> {
  const kept = forwardedHeaders(request);
  const protocols = websocketProtocols(request);
  delete kept["sec-websocket-protocol"];
  if (protocols.length > 0) kept["sec-websocket-protocol"] = protocols.join(", ");
  return { ...kept, connection: "Upgrade", upgrade: request.headers["upgrade"] ?? "" };
}

/** The subprotocols that a WebSocket client offers, without tokens. */
export function websocketProtocols(request: ApiRequest): readonly string[] {
  return (request.headers["sec-websocket-protocol"] ?? "")
    .split(COMMA)
    .filter((protocol) => protocol !== "" && !protocol.startsWith(BEARER_PROTOCOL));
}

export interface Passage {
  readonly backends: Backends;
  readonly address: BackendAddress;
  /** Encoded, with its query. */
  readonly path: string;
  readonly clock: Clock;
}

/**
 * Takes the client's connection over and joins it with one to `address`, once that has switched protocols.
 *
 * @returns the other side's refusal, when it did not.
 * @throws {StatusError} no connection, or an answer that is neither a switch nor an error.
 * @spec k8s@1.36 apimachinery util/proxy/upgradeaware.go tryUpgrade
 */
export async function passUpgrade(
  { backends, address, path, clock }: Passage,
  request: ApiRequest,
  headers: Readonly<Record<string, string | string[]>>,
  socket: Duplex,
  head: Buffer,
): Promise<ApiResponse | undefined> {
  const { method, signal } = request;
  const outcome = await backends
    .upgrade(address, { method, path, headers, signal })
    .catch((error: Error) => {
      throw backendUnreachable(`error dialing backend: ${error.message}`);
    });
  if (outcome.kind === "refused") {
    const { status, headers: answered, body } = outcome;
    if (status >= 400) return { status, headers: answered, body };
    throw backendUnreachable(`invalid upgrade response: status code ${status}`);
  }
  socket.write(outcome.head);
  if (outcome.rest.length > 0) socket.write(outcome.rest);
  if (head.length > 0) outcome.socket.write(head);
  splice(socket, outcome.socket, clock);
  return undefined;
}
