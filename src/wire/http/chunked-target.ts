import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Where a body is written to: a stream of HTTP/2, a response of HTTP/1.1, or its socket. */
export interface BodyTarget {
  readonly destroyed: boolean;
  /** Bytes that are written and not taken yet. */
  readonly writableLength: number;
  /** @returns false: enough for now, until `drain`. */
  write(bytes: Buffer): boolean;
  end(): unknown;
  destroy(error?: Error): unknown;
  on(event: "drain" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** What Node's response knows of itself and does not tell in its types. */
interface ResponseInside {
  readonly chunkedEncoding: boolean;
  readonly outputData: readonly unknown[];
  readonly socket: (Socket & { readonly _httpMessage?: unknown }) | null;
}

/**
 * Pieces up to this many bytes, as one read of a watch gives them (64 kB and its last event), are framed in one buffer, for all who get the same one.
 * Lists have larger pieces, and each of them one reader: doubling it copies them once more.
 */
const SHARED_BYTES_MAX = 96 * 1024;

const LINE_END = Buffer.from("\r\n");
const framed = new WeakMap<Buffer, Buffer>();

/**
 * A response of HTTP/1.1 whose chunks are written to its socket at once.
 *
 * Why not by `response.write`: it gathers until the end of the turn, so that nobody knows how long writing took, and frames the same
 * bytes a thousand times for a thousand watchers.
 * @returns the response itself where its socket is not its own yet (pipelining) or takes no chunks.
 */
export function chunkedTarget(response: ServerResponse): BodyTarget {
  const { chunkedEncoding, outputData, socket } = response as unknown as ResponseInside;
  const isOwn = socket?._httpMessage === response && outputData.length === 0;
  return chunkedEncoding && isOwn ? new ChunkedTarget(response, socket) : response;
}

class ChunkedTarget implements BodyTarget {
  readonly #response: ServerResponse;
  readonly #socket: Socket;

  constructor(response: ServerResponse, socket: Socket) {
    this.#response = response;
    this.#socket = socket;
  }

  get destroyed(): boolean {
    return this.#response.destroyed || this.#socket.destroyed;
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Buffer): boolean {
    if (bytes.length <= SHARED_BYTES_MAX) return this.#socket.write(framedOnce(bytes));
    this.#socket.cork();
    this.#socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(bytes);
    const mayGoOn = this.#socket.write(LINE_END);
    this.#socket.uncork();
    return mayGoOn;
  }

  end(): void {
    this.#response.end();
  }

  destroy(error?: Error): void {
    this.#response.destroy(error);
  }

  on(event: "drain" | "close" | "error", listener: (error: Error) => void): void {
    if (event !== "drain") return void this.#response.on(event, listener);
    // The socket outlives the response.
    const onDrain = listener as () => void;
    this.#socket.on("drain", onDrain);
    this.#response.on("close", () => this.#socket.removeListener("drain", onDrain));
  }
}

function framedOnce(bytes: Buffer): Buffer {
  let frame = framed.get(bytes);
  if (frame) return frame;
  const head = Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1");
  frame = Buffer.concat([head, bytes, LINE_END]);
  framed.set(bytes, frame);
  return frame;
}
