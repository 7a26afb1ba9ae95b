import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { ByteSource } from "../http/byte-source.ts";

/** Bytes of one message that a client may send; what it sends is not looked at. */
const CLIENT_MESSAGE_BYTES_MAX = 4096;

/** The request that asked for the WebSocket, as it came. */
export interface Handshake {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly socket: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
}

/** How a body becomes messages: a piece as it is, a piece in base64, or a text for each line. */
export type Framing = "binary" | "base64" | "lines";

/**
 * Sends a body over the connection, once that is a WebSocket, and closes it.
 *
 * @param protocol the chosen subprotocol; "": none.
 * @bounds one piece is in flight: a slow client holds back whoever makes the bytes.
 */
export function sendOver(
  { method, headers, socket, head }: Handshake,
  protocol: string,
  framing: Framing,
  source: ByteSource,
): void {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: CLIENT_MESSAGE_BYTES_MAX,
    handleProtocols: () => protocol || false,
  });
  socket.once("close", () => source.close());
  // The library reads nothing of the request but these.
  const request = { method, headers, url: "/" } as unknown as IncomingMessage;
  server.handleUpgrade(request, socket, head, (client) => {
    client.on("error", () => client.terminate());
    new Sender(client, framing, source).start();
  });
}

class Sender {
  readonly #client: WebSocket;
  readonly #framing: Framing;
  readonly #source: ByteSource;
  #isSending = false;
  /** Of lines: the beginning of one whose end has not come. */
  #rest = "";

  constructor(client: WebSocket, framing: Framing, source: ByteSource) {
    this.#client = client;
    this.#framing = framing;
    this.#source = source;
  }

  start(): void {
    this.#source.onReadable(() => this.#pump());
    this.#pump();
  }

  #pump(): void {
    if (this.#isSending || this.#client.readyState !== this.#client.OPEN) return;
    let piece: Buffer | undefined | null;
    try {
      piece = this.#source.read();
    } catch {
      return this.#client.close(1011);
    }
    if (piece === undefined) return;
    if (piece === null) return this.#client.close(1000);
    const messages = this.#messagesOf(piece);
    const last = messages.pop();
    for (const message of messages) this.#client.send(message);
    if (last === undefined) return this.#pump();
    this.#isSending = true;
    this.#client.send(last, () => {
      this.#isSending = false;
      this.#pump();
    });
  }

  #messagesOf(piece: Buffer): (string | Buffer)[] {
    if (this.#framing === "binary") return piece.length > 0 ? [piece] : [];
    if (this.#framing === "base64") return piece.length > 0 ? [piece.toString("base64")] : [];
    const lines = (this.#rest + piece.toString("utf8")).split("\n");
    this.#rest = lines.pop()!;
    return lines.filter((line) => line !== "");
  }
}
