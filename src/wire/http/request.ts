import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Deadlines } from "./deadlines.ts";
import {
  BodyTooLarge,
  BodyTooSlow,
  RequestAborted,
  type ClientCertificate,
  type HttpRequest,
} from "./exchange.ts";

const NO_QUERY = new URLSearchParams();
const NO_BYTES = Buffer.alloc(0);

/** What a connection knows that all its requests share. */
export interface Connection {
  readonly remoteAddress: string;
  readonly certificate: (ClientCertificate & { readonly validToMs: number }) | undefined;
}

/** Reads once per connection what TLS knows of the client: parsing its certificate for each request costs too much. */
export function connectionOf(socket: TLSSocket): Connection {
  return { remoteAddress: socket.remoteAddress ?? "", certificate: certificateOf(socket) };
}

function certificateOf(socket: TLSSocket): Connection["certificate"] {
  if (!socket.authorized) return undefined;
  // Null where the connection has gone in the meantime.
  const peer = socket.getPeerCertificate() as ReturnType<TLSSocket["getPeerCertificate"]> | null;
  const subject = peer?.subject as { CN?: string | string[]; O?: string | string[] } | undefined;
  if (!peer || !subject) return undefined;
  return {
    commonName: listOf(subject.CN)[0] ?? "",
    organizations: listOf(subject.O),
    validToMs: Date.parse(peer.valid_to),
  };
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

type Headers = Readonly<Record<string, string | undefined>>;

/** What holds for the bodies of all requests. */
export interface BodyBounds {
  readonly bytesMax: number;
  /** Bodies under way that someone must still read here. */
  readonly deadlines: Deadlines<StreamedRequest>;
}

/** A request whose costly parts (query, abort signal, body) are made only when someone asks for them. */
export class StreamedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly queryText: string;
  readonly #connection: Connection;
  readonly #stream: Readable | undefined;
  readonly #bounds: BodyBounds;
  #query: URLSearchParams | undefined;
  #body: Promise<Buffer> | undefined;
  #abort: AbortController | undefined;
  #isAborted = false;
  #answer: Writable | undefined;
  #fail: ((error: Error) => void) | undefined;

  /** `stream` absent: the request has no body. */
  constructor(
    method: string,
    target: string,
    headers: Headers,
    connection: Connection,
    stream: Readable | undefined,
    bounds: BodyBounds,
  ) {
    const mark = target.indexOf("?");
    this.method = method;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.queryText = mark < 0 ? "" : target.slice(mark + 1);
    this.headers = headers;
    this.#connection = connection;
    this.#stream = stream;
    this.#bounds = bounds;
    if (stream) bounds.deadlines.start(this);
  }

  get query(): URLSearchParams {
    if (this.queryText === "") return NO_QUERY;
    return (this.#query ??= new URLSearchParams(this.queryText));
  }

  get connection(): object {
    return this.#connection;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get certificate(): ClientCertificate {
    const { certificate } = this.#connection;
    const isValid = certificate !== undefined && certificate.validToMs > Date.now();
    // The optional property of the contract cannot be spelled `?` on a getter.
    return (isValid ? certificate : undefined) as ClientCertificate;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#isAborted || this.#answer?.closed) this.#abort.abort();
      else this.#answer?.once("close", () => this.abort());
    }
    return this.#abort.signal;
  }

  /** From now on `signal` follows `answer`; asked only once someone wants it. */
  follow(answer: Writable): void {
    this.#answer = answer;
  }

  body(): Promise<Buffer> {
    return (this.#body ??= this.#stream ? this.#collect(this.#stream) : Promise.resolve(NO_BYTES));
  }

  bodyStream(): Readable | undefined {
    this.#bounds.deadlines.end(this);
    return this.#stream;
  }

  /** The body has not come in time: whoever waits for it hears that, a connection that nobody reads is cut. */
  expire(): void {
    if (!this.#fail) return void this.#stream?.destroy();
    this.#fail(new BodyTooSlow());
    this.#bounds.deadlines.start(this);
  }

  /** The transport says that the client is gone or has its answer. */
  abort(): void {
    this.#isAborted = true;
    this.#bounds.deadlines.end(this);
    this.#abort?.abort();
  }

  #collect(stream: Readable): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let pieces: Buffer[] = [];
      let length = 0;
      // The deadline stays: what is left of the body must come in time, too.
      const fail = (error: Error): void => {
        this.#fail = undefined;
        pieces = [];
        reject(error);
      };
      this.#fail = fail;
      stream.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length > this.#bounds.bytesMax) fail(new BodyTooLarge());
        else if (this.#fail) pieces.push(piece);
      });
      stream.on("end", () => {
        this.#bounds.deadlines.end(this);
        if (wasAborted(stream) || !this.#fail) return;
        this.#fail = undefined;
        resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
      });
      stream.on("close", () => this.#fail?.(new RequestAborted()));
      stream.on("error", (error: Error) => this.#fail?.(error));
      if (stream.destroyed || stream.readableEnded) fail(new RequestAborted());
    });
  }
}

/** Whether a body that has ended did so because its sender went away: Node ends aborted streams of HTTP/2 as if complete. */
export function wasAborted(stream: Readable): boolean {
  return (stream as { readonly aborted?: boolean }).aborted === true;
}
