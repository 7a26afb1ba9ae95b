import { connect, type SecureContextOptions, type TLSSocket } from "node:tls";

/** Where a server is, and who asks it: by a client certificate or a token. */
export interface Target {
  readonly url: URL;
  readonly tls?: SecureContextOptions;
  readonly token?: string;
}

/**
 * One HTTP/1.1 connection that asks, waits for the answer, and looks at nothing of it but its status: the generator of load
 * must cost little beside what it measures.
 */
export class RawConnection {
  readonly #socket: TLSSocket;
  readonly #head: string;
  #buffer: Buffer = Buffer.alloc(0);
  #answered: { resolve(status: number): void; reject(error: Error): void } | undefined;

  constructor({ url, tls, token }: Target) {
    const { hostname: host, port } = url;
    const authorization = token ? `Authorization: Bearer ${token}\r\n` : "";
    this.#head = `Host: ${url.host}\r\n${authorization}Content-Type: application/json\r\n`;
    this.#socket = connect({ ...tls, host, port: Number(port), rejectUnauthorized: false });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.on("error", (error) => this.#answered?.reject(error));
  }

  /** @returns the status of the answer. */
  ask(method: string, path: string, body = ""): Promise<number> {
    const length = `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#head}${length}${body}`);
    return new Promise((resolve, reject) => (this.#answered = { resolve, reject }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    const end = this.#buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#buffer.toString("latin1", 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#buffer.length < end + 4 + length) return;
    this.#buffer = this.#buffer.subarray(end + 4 + length);
    this.#answered?.resolve(Number(head.slice(9, 12)));
  }
}
