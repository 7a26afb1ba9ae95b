/**
 * How long a peer may take, in ms, for what it has to do. All of them are bounds on what a slow or hostile one can hold.
 *
 * A watch, a log, a passed-on connection last as long as they like: who does not read them holds back whoever makes the bytes.
 */
export interface HttpTimes {
  /** From the connection to the end of TLS. */
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its headers; also from the connection to its first byte (HTTP/1.1). */
  readonly headersMs: number;
  /** A connection without requests. */
  readonly idleMs: number;
  /** From a request's headers to the end of its body. Bodies that are passed on take as long as they take. */
  readonly bodyMs: number;
  /** Until the client has taken an answer that is ready. */
  readonly answerMs: number;
}

/** @spec k8s@1.36 apiserver secure_serving.go (IdleTimeout, ReadHeaderTimeout), server/config.go RequestTimeout */
export const HTTP_TIMES: HttpTimes = {
  handshakeMs: 32_000,
  headersMs: 32_000,
  idleMs: 90_000,
  bodyMs: 60_000,
  answerMs: 60_000,
};

/** Bytes of all headers of one request; room for several tokens. Doubling it doubles what a client can make us hold. */
export const HEADER_BYTES_MAX = 64 * 1024;
/** Headers of one request. Real ones have 30; each costs a map entry. */
export const HEADERS_MAX = 256;
/** Streams of one connection at a time. @spec k8s@1.36 apiserver secure_serving.go MaxConcurrentStreams */
export const STREAMS_MAX = 250;
/** Requests of one HTTP/1.1 connection that may wait behind the one that is answered. Clients in use send none; each holds its headers. */
export const PIPELINED_MAX = STREAMS_MAX;
/** Megabytes that one HTTP/2 connection may make the protocol library hold. */
export const SESSION_MEGABYTES_MAX = 64;
