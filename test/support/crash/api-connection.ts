import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { SecureContextOptions } from "node:tls";

/** The connection ended before the answer: nobody knows whether the request was carried out. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** An object as far as the tests look into it. */
export interface StoredObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** The body of a failure. */
export interface StatusBody {
  readonly kind: "Status";
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** What came back. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: Body;
}

/** One line of a watch. */
export interface WatchLine {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: StoredObject & Partial<StatusBody>;
}

/**
 * One HTTP/2 connection of its own, with nothing of our client in between: what it sees is what is on the wire.
 */
export class ApiConnection {
  readonly #session: ClientHttp2Session;

  constructor(origin: string, tls: SecureContextOptions) {
    this.#session = connect(origin, tls);
    // Each request says so itself.
    this.#session.on("error", () => {});
  }

  /** @throws {NoAnswer} */
  async request<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<Answer<Body>> {
    const { stream, status } = await this.#send(method, path, body, type);
    let text = "";
    try {
      for await (const part of stream) text += part as string;
    } catch (error) {
      throw new NoAnswer(String(error));
    }
    const isJson = text.startsWith("{");
    // A killed server's stream may end without an error, in the middle.
    if (stream.rstCode !== 0 || (isJson && !text.trimEnd().endsWith("}")))
      throw new NoAnswer("the answer is cut off");
    return { status, body: (isJson ? JSON.parse(text) : text) as Body };
  }

  /** The lines of a watch, until it ends however it ends. @throws {NoAnswer} it did not begin. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<WatchLine, undefined> {
    const { stream, status } = await this.#send("GET", path);
    const onAbort = (): void => stream.close();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    let text = "";
    try {
      for await (const part of stream) {
        text += part as string;
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) yield JSON.parse(line) as WatchLine;
      }
    } catch {
      return undefined;
    } finally {
      signal.removeEventListener("abort", onAbort);
      stream.close();
    }
    if (status !== 200 && text.endsWith("}"))
      yield { type: "ERROR", object: JSON.parse(text) as WatchLine["object"] };
    return undefined;
  }

  close(): void {
    this.#session.destroy();
  }

  #send(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<{ stream: ClientHttp2Stream; status: number }> {
    return new Promise((resolve, reject) => {
      const fail = (error?: Error): void => reject(new NoAnswer(error ? String(error) : "closed"));
      if (this.#session.destroyed || this.#session.closed) return fail();
      const headers = {
        ":method": method,
        ":path": path,
        accept: "application/json",
        ...(body !== undefined && { "content-type": type }),
      };
      // Else a DELETE has no body.
      const stream = this.#session.request(headers, { endStream: body === undefined });
      stream.setEncoding("utf8");
      stream.on("error", fail);
      stream.on("close", () => fail());
      stream.on("response", (answer) => resolve({ stream, status: answer[":status"] ?? 0 }));
      if (body !== undefined) stream.end(JSON.stringify(body));
    });
  }
}
