import type { Network } from "../../../src/base/network.ts";
import { Unreachable } from "../../../src/base/network.ts";
import type { ApiRequest } from "../../../src/apiserver/request.ts";
import type { HttpCaller } from "../../../src/client/http-transport.ts";
import type { ApiResponse } from "../../../src/apiserver/api-response.ts";
import type { ByteSource } from "../../../src/wire/http/byte-source.ts";
import type { HttpRequest, HttpResponse } from "../../../src/wire/http-client/http-client.ts";
import type { SimProcess } from "./sim-process.ts";

/** The far end of all requests: a server that may be down. */
export interface Endpoint {
  /** Its party in the network. */
  readonly name: string;
  /** Resolves when the process that runs now has ended; `undefined`: none runs. */
  readonly running: Promise<void> | undefined;
  handle(request: ApiRequest, party: string): Promise<ApiResponse>;
}

interface Delivered {
  readonly answer: ApiResponse;
  readonly running: Promise<void>;
}

/** Who calls, as the server knows it by its client certificate. */
export interface Identity {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** A link that bodies travel on, piece by piece. {@link Network} carries calls. */
export interface StreamNetwork extends Network {
  /** Resolves when what `from` sends now has come to `to`. @throws {Unreachable} the connection broke. */
  travel(from: string, to: string): Promise<void>;
  /** Resolves when streams between the two break now. */
  broken(one: string, other: string): Promise<void>;
}

/**
 * The requests of one process to the API server over the simulated network: what `HttpClient` does with sockets.
 *
 * @throws {Unreachable} the server is down, or the call or its answer was lost.
 */
export class SimHttp implements HttpCaller {
  readonly #process: SimProcess;
  readonly #party: string;
  readonly #network: StreamNetwork;
  readonly #server: Endpoint;
  readonly #identity: Identity;

  /** `party`: whose link is used. */
  constructor(
    process: SimProcess,
    party: string,
    network: StreamNetwork,
    server: Endpoint,
    identity: Identity,
  ) {
    this.#process = process;
    this.#party = party;
    this.#network = network;
    this.#server = server;
    this.#identity = identity;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const { name } = this.#server;
    let stream: ByteSource | undefined;
    const answered = this.#network.carry(this.#party, name, async () => {
      // Delivered a second time: nobody reads the first answer.
      stream?.close();
      const delivered = await this.#deliver(request);
      const { body } = delivered.answer;
      if (!Buffer.isBuffer(body)) stream = body;
      return delivered;
    });
    answered.catch(() => stream?.close());
    const { answer, running } = await this.#process.living(answered);
    const { status, headers, body } = answer;
    const all = headers as HttpResponse["headers"];
    if (Buffer.isBuffer(body)) {
      const chunks = async function* (): AsyncGenerator<Buffer> {
        yield body;
      };
      return { status, headers: all, chunks, bytes: async () => body };
    }
    const { signal } = request;
    return {
      status,
      headers: all,
      chunks: () => this.#stream(body, running, signal),
      bytes: async () => {
        const pieces: Buffer[] = [];
        for await (const piece of this.#stream(body, running, signal)) pieces.push(piece);
        return Buffer.concat(pieces);
      },
    };
  }

  /** The answer, and the end of the process that gave it: the next one knows nothing of it. */
  async #deliver({ method, path, headers, body, signal }: HttpRequest): Promise<Delivered> {
    const { running } = this.#server;
    if (!running) throw new Unreachable("connection refused");
    const [place, query] = path.split("?") as [string, string | undefined];
    const bytes = Buffer.from(body ?? "");
    const request: ApiRequest = {
      method,
      path: place,
      query: new URLSearchParams(query),
      headers: { ...headers },
      body: () => Promise.resolve(bytes),
      remoteAddress: "192.0.2.1",
      certificate: this.#identity,
      signal: signal ?? new AbortController().signal,
    };
    const answer = await Promise.race([
      this.#server.handle(request, this.#party),
      running.then(() => Promise.reject(new Unreachable("connection reset"))),
    ]);
    return { answer, running };
  }

  /** What the server sends, as it comes through; ends with an error when the connection breaks. */
  async *#stream(
    source: ByteSource,
    running: Promise<void>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer> {
    let wake: () => void = () => {};
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      wake();
    };
    const { name } = this.#server;
    source.onReadable(() => wake());
    void running.then(() => fail(new Unreachable("connection reset")));
    void this.#network.broken(this.#party, name).then(() => fail(new Unreachable("cut")));
    const onAbort = (): void => fail(signal?.reason as Error);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    void this.#process.ended.then(() => source.close());
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if (failure) throw failure;
        const piece = source.read();
        if (piece === null) return;
        if (piece === undefined) await this.#process.living(woken);
        else if (piece.length > 0) {
          await this.#process.living(this.#network.travel(name, this.#party));
          if (failure) throw failure;
          yield piece;
        }
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      source.close();
    }
  }
}
