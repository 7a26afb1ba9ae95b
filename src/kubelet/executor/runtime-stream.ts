import { request, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { splice } from "../../wire/http-proxy/splice.ts";
import { upgrade } from "../../wire/http-proxy/upgrade.ts";

/** Would let a caller speak as somebody else to the runtime, or are about where it called. */
const HEADERS_KEPT_BACK: ReadonlySet<string> = new Set(["authorization", "host", "cookie"]);

/** Why a stream did not come about. */
export interface StreamRefusal {
  readonly code: number;
  readonly message: string;
}

/**
 * Joins a caller's connection with one to the runtime's streaming server, once that has switched protocols.
 *
 * After any other answer both are closed: neither end may say anything more over a connection in no known state, least of
 * all ask for another container's stream.
 * @returns what to tell the caller when they were not joined.
 * @spec CVE-2018-1002105, CVE-2020-8559
 */
export async function joinRuntime(
  caller: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  target: URL,
  clock: Clock,
): Promise<StreamRefusal | undefined> {
  const { socket, head } = caller;
  const abort = new AbortController();
  const leave = (): void => abort.abort();
  socket.once("close", leave);
  const outgoing = request({
    host: target.hostname,
    port: target.port,
    method: caller.request.method,
    path: target.pathname + target.search,
    headers: headersOf(caller.request),
    agent: false,
    signal: abort.signal,
  });
  outgoing.setNoDelay(true);
  try {
    const outcome = await upgrade(outgoing, clock);
    socket.off("close", leave);
    if (outcome.kind === "refused") {
      const code = outcome.status >= 400 ? outcome.status : 502;
      return { code, message: outcome.body.toString() || "the runtime did not switch protocols" };
    }
    socket.write(outcome.head);
    if (outcome.rest.length > 0) socket.write(outcome.rest);
    if (head.length > 0) outcome.socket.write(head);
    splice(socket, outcome.socket, clock);
    return undefined;
  } catch (error) {
    return { code: 502, message: (error as Error).message };
  }
}

/** Repeated ones stay repeated: some runtimes do not split what was joined. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (HEADERS_KEPT_BACK.has(name)) continue;
    headers.set(name, [...(headers.get(name) ?? []), rawHeaders[at + 1]!]);
  }
  return Object.fromEntries(headers);
}
