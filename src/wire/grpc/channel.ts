import {
  Client,
  credentials,
  Metadata,
  status as statusCodes,
  type ClientDuplexStream,
  type ServiceError,
} from "@grpc/grpc-js";
import type { MessageCodec } from "../protobuf/codec.ts";

/** The server refused or could not be reached. `code` is gRPC's name of it: `NotFound` is normal for gone containers. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** `NOT_FOUND`, `UNAVAILABLE`, `DEADLINE_EXCEEDED` … */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** True when the server says that the thing named does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof RpcError && error.code === "NOT_FOUND";
}

/** True when the server says that the thing to be made is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof RpcError && error.code === "ALREADY_EXISTS";
}

/** One method of a service: its path and the codecs of both messages. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

export interface CallOptions {
  /** Absent: no limit. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Largest answer. `ListContainers` of 1,000 pods is about 2 MB; twice as much only admits bigger lists. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Longest pause between attempts to reach a server that is away. Doubling slows the return after its restart. */
const RECONNECT_MS_MAX = 1000;

/** A connection that is made on first use and made again when it breaks. */
export class GrpcChannel {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /** `endpoint`: `unix:///path`. `metadata` goes with every call. */
  constructor(endpoint: string, metadata: Readonly<Record<string, string>> = {}) {
    this.#client = new Client(endpoint, credentials.createInsecure(), {
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MS_MAX,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.enable_retries": 0,
    });
    for (const [key, value] of Object.entries(metadata)) this.#metadata.set(key, value);
  }

  /** @throws {RpcError} any status but OK. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { deadlineMs, signal }: CallOptions = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest<Request, Response>(
        method.path,
        (value) => method.request.encode(value),
        (bytes) => method.response.decode(bytes),
        request,
        this.#metadata,
        deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
        (error, value) => {
          signal?.removeEventListener("abort", cancel);
          if (error) reject(rpcError(error));
          else resolve(value as Response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Yields the server's messages until it ends the stream. @throws {RpcError} the stream broke. */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    signal?: AbortSignal,
  ): AsyncGenerator<Response> {
    const call = this.#client.makeServerStreamRequest<Request, Response>(
      method.path,
      (value) => method.request.encode(value),
      (bytes) => method.response.decode(bytes),
      request,
      this.#metadata,
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      for await (const message of call) yield message as Response;
    } catch (error) {
      if (signal?.aborted) return;
      throw rpcError(error as ServiceError);
    } finally {
      signal?.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  /** Opens a call in which both sides speak: each request has one answer. @see Conversation */
  converse<Request, Response>(method: Method<Request, Response>): Conversation<Request, Response> {
    const call = this.#client.makeBidiStreamRequest<Request, Response>(
      method.path,
      (value) => method.request.encode(value),
      (bytes) => method.response.decode(bytes),
      this.#metadata,
    );
    return new Conversation(call);
  }

  close(): void {
    this.#client.close();
  }
}

/** One call of alternating requests and answers. Whoever opened it ends it. */
export class Conversation<Request, Response> {
  readonly #call: ClientDuplexStream<Request, Response>;
  readonly #answers: AsyncIterator<Response>;

  constructor(call: ClientDuplexStream<Request, Response>) {
    this.#call = call;
    this.#answers = call[Symbol.asyncIterator]() as AsyncIterator<Response>;
  }

  /** Sends one request and resolves with its answer. @throws {RpcError} refused, or the server ended the call. */
  async ask(request: Request): Promise<Response> {
    this.#call.write(request);
    try {
      const answer = await this.#answers.next();
      if (!answer.done) return answer.value;
    } catch (error) {
      throw rpcError(error as ServiceError);
    }
    throw new RpcError("UNAVAILABLE", "the server ended the call without an answer");
  }

  /** Ends the call, whatever was said in it; nothing is thrown. */
  end(): void {
    this.#call.on("error", () => {});
    this.#call.end();
    this.#call.cancel();
  }
}

function rpcError(error: ServiceError): RpcError {
  return new RpcError(statusCodes[error.code] ?? "UNKNOWN", error.details || error.message);
}
